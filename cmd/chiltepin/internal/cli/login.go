package cli

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"rsc.io/qr"
)

// All that a login says goes to standard error: standard output is the
// result's alone.

// showAddress tells the person where to log in when the login comes back by
// itself.
func (c *command) showAddress(address string) {
	fmt.Fprintf(c.Stderr, "Log in on this page, in a browser on this machine (one opens by itself where there is one):\n\n  %s\n\n", c.linkAddress(address))
	if port := portOf(address); port != "" && c.Getenv("SSH_CONNECTION") != "" {
		fmt.Fprintf(c.Stderr, "In a browser at the other end of ssh it works while that forwards the port: ssh -L %s:127.0.0.1:%s …\n\n", port, port)
	}
}

// portOf is the port of this machine that the login at an address comes back
// to, "" where it does not.
func portOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	back, err := url.Parse(u.Query().Get("redirect_uri"))
	if err != nil || back.Hostname() != "127.0.0.1" {
		return ""
	}
	return back.Port()
}

// askCode shows the URL to a person and reads what they bring back: the code
// that the page gave or, without a URL, the address of a page that could not be
// shown.
func (c *command) askCode(ctx context.Context, url string) (string, error) {
	if url == "" {
		fmt.Fprint(c.Stderr, "Waiting for the browser. If it cannot show the last page, paste that page's address here: ")
	} else {
		fmt.Fprintf(c.Stderr, "Open this address in a browser, on any machine, and log in:\n\n  %s\n\n%sPaste the code shown there: ", c.linkAddress(url), c.drawCode(url))
	}
	code, err := c.readLine(ctx)
	if !c.StdinTTY || err != nil {
		fmt.Fprintln(c.Stderr) // nobody's Enter ended the line
	}
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(code), nil
}

// linkAddress is the address as one that can be clicked, however it is broken into
// lines, on a terminal that knows links (OSC 8); others show it as it is.
func (c *command) linkAddress(url string) string {
	switch c.Getenv("TERM") {
	case "", "dumb", "linux":
		return url
	}
	if !c.StderrTTY {
		return url
	}
	return "\x1b]8;;" + url + "\x1b\\" + url + "\x1b]8;;\x1b\\"
}

// drawCode is the address as a QR code for a telephone, on a terminal that has
// room for it, colours and the characters; "" on others.
func (c *command) drawCode(url string) string {
	if !c.StderrTTY || c.StderrSize == nil || c.Getenv("NO_COLOR") != "" || c.Getenv("TERM") == "dumb" || !c.utf8() {
		return ""
	}
	code, err := qr.Encode(url, qr.L)
	if err != nil {
		return ""
	}
	const margin = 2 // 4 is the standard's; readers make do with 2
	columns, rows := c.StderrSize()
	if code.Size+2*margin > columns || (code.Size+2*margin+1)/2+8 > rows {
		return ""
	}
	var b strings.Builder
	for y := -margin; y < code.Size+margin; y += 2 {
		b.WriteString("\x1b[30;107m")
		for x := -margin; x < code.Size+margin; x++ {
			switch upper, lower := code.Black(x, y), code.Black(x, y+1); {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		b.WriteString("\x1b[0m\n")
	}
	b.WriteString("\n")
	return b.String()
}

// utf8 is true where the terminal is told to show more than ASCII.
func (c *command) utf8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(c.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
