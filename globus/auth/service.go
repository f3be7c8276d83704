package auth

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"chiltepin/globus"
	"chiltepin/globus/tokenstore"
)

// The clients that Globus programs log in with. Stores do not say which of
// them a token belongs to.
const (
	// chiltepinID is used by Python Chiltepin since 0.1.7, and by us.
	chiltepinID = "7d8b6bed-4a3d-4bf7-93c5-9fc58569e4e5"
	// olderChiltepinID is used by Python Chiltepin up to 0.1.6.
	olderChiltepinID = "42e9e804-0bcd-4c3d-881b-8e270e3c2163"
	// sdkID is used by globus_compute_sdk and the daemon, unless the
	// environment names another.
	sdkID = "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"
	// academyID is used by academy.
	academyID = "1624cf3f-45ee-4f54-9de4-2d5d79191346"
)

// Resource servers.
const (
	authServer     = "auth.globus.org"
	computeServer  = "funcx_service"
	transferServer = "transfer.api.globus.org"
	academyServer  = "ca1e2fbf-4e73-40a6-b2ab-c9458e5fcf99"
)

// oauthClient is an application that is registered at Globus Auth; a native
// application has no secret.
type oauthClient struct {
	id     string
	secret tokenstore.Secret
}

// loginService describes one service that a login is for.
type loginService struct {
	name   string
	client oauthClient
	// server is the resource server that its requests are signed for, origin
	// the address that they are sent to.
	server, origin string
	// scopes are those that its Python program requires, by resource server.
	scopes map[string][]string
	// namespaces are where that program keeps the tokens. The first is always
	// written, the others only where their file exists.
	namespaces []storeNamespace
}

// storeNamespace is one namespace of one token store.
type storeNamespace struct {
	store     tokenstore.Store
	namespace string
	// clientID is the client that its tokens belong to, "" where the store does
	// not say.
	clientID string
}

// exists is true when the store has a file.
func (s storeNamespace) exists() bool {
	_, err := os.Stat(s.store.Path())
	return err == nil
}

// resourceServers lists the resource servers of s, its own first.
func (s *loginService) resourceServers() []string {
	list := []string{s.server}
	for server := range s.scopes {
		if server != s.server {
			list = append(list, server)
		}
	}
	slices.Sort(list[1:])
	return list
}

// newServices describes the three services, from the configuration alone.
func newServices(c Config) ([]*loginService, error) {
	id, secret := c.Getenv("GLOBUS_COMPUTE_CLIENT_ID"), c.Getenv("GLOBUS_COMPUTE_CLIENT_SECRET")
	if secret != "" && id == "" {
		return nil, &globus.SettingError{Variable: "GLOBUS_COMPUTE_CLIENT_ID", Want: "the client id that belongs to GLOBUS_COMPUTE_CLIENT_SECRET"}
	}
	if strings.ContainsAny(id, "/\x00") || id == "." || id == ".." {
		return nil, &globus.SettingError{Variable: "GLOBUS_COMPUTE_CLIENT_ID", Value: id, Want: "a UUID"}
	}
	main := oauthClient{id: id, secret: tokenstore.NewSecret(secret)}
	if id == "" {
		main.id = chiltepinID
	}
	return []*loginService{
		computeService(c, main),
		transferService(c, main),
		academyService(c, main),
	}, nil
}

// computeService is globus_compute_sdk/sdk/auth, with the scopes of the daemon.
func computeService(c Config, who oauthClient) *loginService {
	at := storeNamespace{store: tokenstore.NewSQLite(filepath.Join(c.ComputeDir, "storage.db")), namespace: "user/" + c.Env.Name}
	if !who.secret.IsZero() {
		at.namespace = fmt.Sprintf("clientprofile/%s/%s", c.Env.Name, who.id)
		at.clientID = who.id
	}
	return &loginService{
		name: Compute, client: who, server: computeServer, origin: c.Env.ComputeURL,
		scopes: map[string][]string{
			authServer:    {"openid", "urn:globus:auth:scope:auth.globus.org:manage_projects"},
			computeServer: {"https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"},
		},
		namespaces: []storeNamespace{at},
	}
}

// transferService is the app "chiltepin" of Python Chiltepin, with the default
// store of globus_sdk.
func transferService(c Config, who oauthClient) *loginService {
	return &loginService{
		name: Transfer, client: who, server: transferServer, origin: c.Env.TransferURL,
		scopes: map[string][]string{
			authServer:     {"openid"},
			transferServer: {"urn:globus:auth:scope:transfer.api.globus.org:all"},
		},
		namespaces: []storeNamespace{transferStore(c, who.id)},
	}
}

func transferStore(c Config, clientID string) storeNamespace {
	file := "tokens.json"
	if c.Env.Name != "production" {
		file = c.Env.Name + "-tokens.json"
	}
	path := filepath.Join(c.Home, ".globus", "app", clientID, "chiltepin", file)
	return storeNamespace{store: tokenstore.NewJSON(path), namespace: "DEFAULT", clientID: clientID}
}

// academyService is academy/exchange/cloud/login.py. Python Chiltepin lends
// academy its own credentials when it has some, and so do we.
func academyService(c Config, who oauthClient) *loginService {
	if who.secret.IsZero() {
		who = oauthClient{id: academyID}
		id, secret := c.Getenv("ACADEMY_GLOBUS_CLIENT_ID"), c.Getenv("ACADEMY_GLOBUS_CLIENT_SECRET")
		if id != "" && secret != "" {
			who = oauthClient{id: id, secret: tokenstore.NewSecret(secret)}
		}
	}
	server := c.Getenv("ACADEMY_EXCHANGE_CLIENT_ID")
	if server == "" {
		server = academyServer
	}
	s := &loginService{
		name: Academy, client: who, server: server,
		scopes: map[string][]string{
			authServer: {"openid"},
			server:     {"https://auth.globus.org/scopes/" + server + "/academy_exchange"},
		},
	}
	// ~/local/share, without a dot, is where academy 0.3 to 0.5 look; the
	// releases after them have the dot.
	directories := []string{filepath.Join(c.Home, "local", "share", "academy"), filepath.Join(c.Home, ".local", "share", "academy")}
	if home := c.Getenv("ACADEMY_HOME"); home != "" {
		directories = []string{home}
	}
	for _, directory := range directories {
		s.namespaces = append(s.namespaces, storeNamespace{store: tokenstore.NewSQLite(filepath.Join(directory, "storage.db")), namespace: "DEFAULT", clientID: who.id})
	}
	return s
}
