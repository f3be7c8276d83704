package broker

import (
	"strings"

	"chiltepin/globus/sandbox/amqp"
)

// user is somebody who may connect.
type user struct {
	password string
	allow    []string // names of exchanges and queues; none is all
}

// mayTouch reports whether the user may touch the exchange or queue of that name.
func (u user) mayTouch(name string) bool {
	if len(u.allow) == 0 {
		return true
	}
	for _, a := range u.allow {
		if begin, any := strings.CutSuffix(a, "*"); a == name || any && strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

// AddUser admits a user with a password (SASL PLAIN). allow lists the exchanges
// and queues that the user may touch, where a trailing * matches any ending;
// without a list the user may touch all. A name that is known already gets the
// new password and list, and its open connections stay.
func (b *Server) AddUser(name, password string, allow ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[name] = user{password: password, allow: allow}
}

// DropUser forgets the user; connections that are open stay.
func (b *Server) DropUser(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.users, name)
}

// CloseConnections closes the connections of a user (of everyone for "") with
// connection.close 320, and returns how many there were.
func (b *Server) CloseConnections(user string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for c := range b.connections {
		if c.user != "" && !c.closing && (user == "" || c.user == user) {
			c.closeFromBroker(amqp.Errorf(amqp.CodeConnectionForced, "closed by an operator"))
			n++
		}
	}
	return n
}

// parsePlainResponse takes the response of the PLAIN mechanism apart: authorization
// identity, user and password, each after a zero octet but the first.
func parsePlainResponse(response string) (user, password string) {
	parts := strings.Split(response, "\x00")
	if len(parts) != 3 {
		return "", ""
	}
	return parts[1], parts[2]
}

// loginAs makes the connection a user's, from then on one that CloseConnections
// finds, and tells whether the password was right.
func (c *connection) loginAs(name, password string) bool {
	c.broker.mu.Lock()
	defer c.broker.mu.Unlock()
	u, ok := c.broker.users[name]
	if !ok || u.password != password {
		return false
	}
	c.user, c.rights = name, u
	return true
}
