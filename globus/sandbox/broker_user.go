package sandbox

import "strings"

// brokerUser is somebody who may connect.
type brokerUser struct {
	password string
	allow    []string // names of exchanges and queues; none is all
}

// may tells whether the user may touch the exchange or queue of that name.
func (u brokerUser) may(name string) bool {
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

func (b *broker) addUser(name, password string, allow ...string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.users[name] = brokerUser{password: password, allow: allow}
}

func (b *broker) dropUser(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.users, name)
}

func (b *broker) closeConnections(user string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for c := range b.conns {
		if c.isOpen && (user == "" || c.user == user) {
			c.close(amqpErrorf(amqpConnectionForced, "closed by an operator"))
			n++
		}
	}
	return n
}

// login checks the response of the PLAIN mechanism: authorization identity,
// user and password, each after a zero octet but the first.
func (b *broker) login(response string) (name string, u brokerUser, ok bool) {
	parts := strings.Split(response, "\x00")
	if len(parts) != 3 {
		return "", brokerUser{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	u, ok = b.users[parts[1]]
	return parts[1], u, ok && u.password == parts[2]
}
