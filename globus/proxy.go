package globus

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Proxies says which requests go through which proxy, by the rules of
// Python's requests, which the daemon and the SDKs use. They differ from those
// of net/http in that an address on this machine is proxied as well, unless
// NO_PROXY names it. The zero value proxies nothing.
type Proxies struct {
	http, https *url.URL
	none        []string
}

// proxiesFrom reads HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY; the
// lower-case spelling of each goes before the upper-case one.
func proxiesFrom(getenv func(string) string) (Proxies, error) {
	either := func(name string) (variable, value string) {
		if value := getenv(strings.ToLower(name)); value != "" {
			return strings.ToLower(name), value
		}
		return name, getenv(name)
	}
	read := func(name string) (*url.URL, error) {
		variable, value := either(name)
		// CGI: a request header can set HTTP_PROXY (CVE-2016-1000110).
		if variable == "HTTP_PROXY" && getenv("REQUEST_METHOD") != "" {
			value = ""
		}
		if value == "" {
			variable, value = either("ALL_PROXY")
		}
		if value == "" {
			return nil, nil
		}
		return proxyURL(variable, value)
	}
	var p Proxies
	var err error
	if p.http, err = read("HTTP_PROXY"); err != nil {
		return Proxies{}, err
	}
	if p.https, err = read("HTTPS_PROXY"); err != nil {
		return Proxies{}, err
	}
	_, none := either("NO_PROXY")
	for entry := range strings.SplitSeq(none, ",") {
		if entry = strings.ToLower(strings.ReplaceAll(entry, " ", "")); entry != "" {
			p.none = append(p.none, entry)
		}
	}
	return p, nil
}

func proxyURL(variable, value string) (*url.URL, error) {
	address := value
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err == nil && u.Host != "" {
		switch u.Scheme {
		case "http", "https", "socks5", "socks5h":
			return u, nil
		}
	}
	return nil, &SettingError{Variable: variable, Value: withoutUser(value), Want: "the address of a proxy such as http://proxy.example.org:3128"}
}

// For answers which proxy a request goes through, nil for none. It has the
// type that [http.Transport] wants.
func (p Proxies) For(r *http.Request) (*url.URL, error) {
	proxy := p.https
	if r.URL.Scheme == "http" {
		proxy = p.http
	}
	if proxy == nil || p.isBypassed(r.URL) {
		return nil, nil
	}
	return proxy, nil
}

// isBypassed is should_bypass_proxies of requests/utils.py followed by
// proxy_bypass_environment of urllib: names match with all that ends in them,
// with or without a port; IPv4 addresses match exactly or by network.
func (p Proxies) isBypassed(u *url.URL) bool {
	if len(p.none) == 1 && p.none[0] == "*" {
		return true
	}
	host := strings.ToLower(u.Hostname())
	withPort := host
	if u.Port() != "" {
		withPort = net.JoinHostPort(host, u.Port())
	}
	address, err := netip.ParseAddr(host)
	isIPv4 := err == nil && address.Is4()
	for _, entry := range p.none {
		if isIPv4 {
			// is_valid_cidr does not count /0 as one.
			if network, err := netip.ParsePrefix(entry); err == nil && network.Bits() > 0 && network.Contains(address) {
				return true
			}
		}
		entry = strings.TrimLeft(entry, ".")
		if host == entry || withPort == entry {
			return true
		}
		if strings.HasSuffix(host, "."+entry) || strings.HasSuffix(withPort, "."+entry) {
			return true
		}
	}
	return false
}
