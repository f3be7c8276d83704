package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// consent is the browser: it goes to an authorize URL the way every program
// in the sandbox goes, follows to where it is sent, and prints the code.
func (w world) consent(ctx context.Context) (int, error) {
	if len(w.args) != 1 {
		return exitUsage, errors.New("usage: globus-sandbox consent URL")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(w.args[0]), nil)
	if err != nil {
		return exitUsage, err
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(r)
	if err != nil {
		return exitError, err
	}
	defer answer.Body.Close()
	back, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || answer.StatusCode != http.StatusFound {
		return exitError, fmt.Errorf("the authorize page answered %s", answer.Status)
	}
	q := back.Query()
	if isLoopback(back.Hostname()) && !strings.HasSuffix(back.Path, "/v2/web/auth-code") {
		if err := visit(ctx, client, back.String()); err != nil {
			return exitError, fmt.Errorf("going back to the application: %w", err)
		}
	}
	if q.Get("code") == "" {
		return exitError, fmt.Errorf("the authorize page refused: %s", q.Get("error"))
	}
	fmt.Fprintln(w.stdout, q.Get("code"))
	return exitOK, nil
}

// visit brings the code to an application that listens for it.
func visit(ctx context.Context, client *http.Client, to string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (w world) state(ctx context.Context) (int, error) {
	return w.control(ctx, http.MethodGet, "state", "")
}

func (w world) order(ctx context.Context) (int, error) {
	if len(w.args) != 1 {
		return exitUsage, errors.New("usage: globus-sandbox order JSON")
	}
	return w.control(ctx, http.MethodPost, "faults", w.args[0])
}

// control speaks to the sandbox that the environment leads to.
func (w world) control(ctx context.Context, method, what, body string) (int, error) {
	base := w.getenv("GLOBUS_SANDBOX_URL")
	if base == "" {
		return exitError, errors.New("GLOBUS_SANDBOX_URL is not set: run this inside globus-sandbox run, or source the file of globus-sandbox serve")
	}
	r, err := http.NewRequestWithContext(ctx, method, base+"/_sandbox/"+what, bytes.NewReader([]byte(body)))
	if err != nil {
		return exitError, err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return exitError, err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(w.stdout, answer.Body); err != nil {
		return exitError, err
	}
	if answer.StatusCode != http.StatusOK {
		return exitError, fmt.Errorf("the sandbox answered %s", answer.Status)
	}
	return exitOK, nil
}
