package auth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peerOwner says whose program is at the other end of a connection to the
// callback page.
type peerOwner int

const (
	// ownerUnknown is an owner that the kernel does not tell.
	ownerUnknown peerOwner = iota
	// ownerSelf is the user that this process runs as.
	ownerSelf
	// ownerOther is another user, or a program that has gone already.
	ownerOther
)

// peerFinder finds the owner of a connection on a loopback address in the
// tables of sockets that the kernel keeps.
type peerFinder struct {
	// proc is where they are, uid the user that may use the page.
	proc string
	uid  int
	// rootRelays is true where a program of root relays the connections of the
	// person's browser.
	rootRelays bool
}

// socketRow is one row of a table.
type socketRow struct {
	state string
	uid   int
	inode string
}

// Columns and states of /proc/net/tcp, in proc(5) and include/net/tcp_states.h.
const (
	columnLocal, columnRemote, columnState, columnUID, columnInode = 1, 2, 3, 7, 9

	stateEstablished, stateCloseWait, stateListen = "01", "08", "0A"
)

// findOwner looks up the socket at the other end of a connection. A program that
// closed its end before it was looked up counts as another's: nobody waits for
// the answer, and its row no longer says whose it was.
func (p peerFinder) findOwner(c net.Conn) peerOwner {
	here, ok1 := addrPortOf(c.LocalAddr())
	there, ok2 := addrPortOf(c.RemoteAddr())
	if !ok1 || !ok2 {
		return ownerUnknown
	}
	// A table is read in pieces while it changes, so what is missing is looked
	// for once more.
	for range 2 {
		listener, ours, theirs, err := p.readTables(here, there)
		switch {
		case err != nil || listener == nil:
			return ownerUnknown // no table, or one without our sockets, as in WSL 1
		case theirs != nil && theirs.inode != "0":
			return p.judgeUID(theirs.uid)
		case theirs != nil:
			return ownerOther
		case ours != nil && (ours.state == stateEstablished || ours.state == stateCloseWait):
			continue // its other end is not of this network namespace
		default:
			return ownerOther
		}
	}
	return ownerUnknown
}

func (p peerFinder) judgeUID(uid int) peerOwner {
	switch {
	case uid == p.uid && !p.isOverflowUID(uid):
		return ownerSelf
	case uid == p.uid, uid == 0 && p.rootRelays:
		return ownerUnknown
	}
	return ownerOther
}

// isOverflowUID is true of the number that a user namespace shows in the place
// of every user it does not know.
func (p peerFinder) isOverflowUID(uid int) bool {
	overflow, err := os.ReadFile(filepath.Join(p.proc, "sys", "kernel", "overflowuid"))
	if err != nil || strings.TrimSpace(string(overflow)) != strconv.Itoa(uid) {
		return false
	}
	names, err := os.ReadFile(filepath.Join(p.proc, "self", "uid_map"))
	return err != nil || strings.Join(strings.Fields(string(names)), " ") != "0 0 4294967295"
}

// readTables finds the row of our listener, of our end of a connection and of
// the other end, each nil where there is none. The other end may be an IPv6
// socket.
func (p peerFinder) readTables(here, there netip.AddrPort) (listener, ours, theirs *socketRow, err error) {
	local4, remote4 := hexIPv4(here), hexIPv4(there)
	err = scanTable(filepath.Join(p.proc, "net", "tcp"), func(local, remote string, row socketRow) {
		switch {
		case local == local4 && row.state == stateListen:
			listener = &row
		case local == local4 && remote == remote4:
			ours = &row
		case local == remote4 && remote == local4:
			theirs = &row
		}
	})
	if err != nil || theirs != nil {
		return listener, ours, theirs, err
	}
	local6, remote6 := hexMapped(here), hexMapped(there)
	// Without IPv6 there is no such table.
	_ = scanTable(filepath.Join(p.proc, "net", "tcp6"), func(local, remote string, row socketRow) {
		if local == remote6 && remote == local6 {
			theirs = &row
		}
	})
	return listener, ours, theirs, nil
}

// scanTable calls see for each row of a table.
func scanTable(path string, see func(local, remote string, row socketRow)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) <= columnInode {
			continue
		}
		uid, err := strconv.Atoi(words[columnUID])
		if err != nil {
			continue // the heading
		}
		see(words[columnLocal], words[columnRemote], socketRow{state: words[columnState], uid: uid, inode: words[columnInode]})
	}
	return lines.Err()
}

func addrPortOf(a net.Addr) (netip.AddrPort, bool) {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}, false
	}
	at := tcp.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	return at, at.Addr().Is4()
}

// hexIPv4 is an address as the table has it: in the order of the machine.
func hexIPv4(a netip.AddrPort) string {
	ip := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), a.Port())
}

// hexMapped is an IPv4 address as the table of IPv6 has it.
func hexMapped(a netip.AddrPort) string {
	return fmt.Sprintf("%016X%08X%s", 0, binary.NativeEndian.Uint32([]byte{0, 0, 0xff, 0xff}), hexIPv4(a))
}
