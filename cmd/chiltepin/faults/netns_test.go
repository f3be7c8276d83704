package faults

import (
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// alone has commands run on a machine with a network of its own, which leads
// nowhere.
func (b *fixture) alone(name string) {
	b.Helper()
	b.on = newNode(b.T, name, time.Hour, "--net")
	theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", b.on.init))
	if err != nil {
		b.Fatal(err)
	}
	if ours, err := os.Readlink("/proc/self/ns/net"); err != nil || ours == theirs {
		b.Fatalf("the machine %s has our network: %v", name, err)
	}
}

// served lets the fixture's machine reach the services, and nothing else: what is
// sent to their proxy on its own loopback is passed on to the one here.
func (b *fixture) served() {
	b.Helper()
	var address string
	for _, v := range b.env {
		if text, ok := strings.CutPrefix(v, "HTTPS_PROXY="); ok {
			proxy, err := url.Parse(text)
			if err != nil {
				b.Fatal(err)
			}
			address = proxy.Host
		}
	}
	l, err := b.on.listen(address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			theirs, err := l.Accept()
			if err != nil {
				return
			}
			go pass(theirs, address)
		}
	}()
}

// pass joins a connection to one to an address here.
func pass(theirs net.Conn, address string) {
	defer theirs.Close()
	ours, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer ours.Close()
	go func() {
		_, _ = io.Copy(ours, theirs)
		_ = ours.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(theirs, ours)
}

// listen listens in the network of the machine, whose loopback it brings up. A
// socket stays in the network that it was made in.
func (n *node) listen(address string) (net.Listener, error) {
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result)
	go func() {
		// This thread is in another network from now on: it ends with the goroutine.
		runtime.LockOSThread()
		l, err := func() (net.Listener, error) {
			ns, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", n.init))
			if err != nil {
				return nil, err
			}
			defer ns.Close()
			if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
				return nil, fmt.Errorf("entering the network of %s: %w", n.name, err)
			}
			if err := loopbackUp(); err != nil {
				return nil, err
			}
			return net.Listen("tcp", address)
		}()
		done <- result{l, err}
	}()
	r := <-done
	return r.l, r.err
}

// loopbackUp brings up the loopback of this thread's network.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("bringing up the loopback: %w", err)
	}
	return nil
}

// onlyShared takes from the fixture's machine every file of this test but the
// configuration directory and the programs.
func (b *fixture) onlyShared() {
	b.Helper()
	b.unset("SSL_CERT_FILE") // the stand-in's, which is not there either
	b.unset("GLOBUS_SDK_VERIFY_SSL")
	outside := b.file("../../precious")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	b.onNode("sh", "-ec", `mount -t tmpfs none /mnt
mkdir /mnt/shared /mnt/programs
mount --bind "$1" /mnt/shared
mount --bind "$2" /mnt/programs
mount -t tmpfs none "$0"
mkdir -p "$1" "$2"
mount --bind /mnt/shared "$1"
mount --bind /mnt/programs "$2"
umount -l /mnt
[ -e "$1/mesa/daemon.pid" ] && [ ! -e "$3" ]`, os.TempDir(), b.dir, place.dir, outside)
}
