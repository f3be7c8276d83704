package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// giveConsent does what the browser does: it opens an authorize URL through the
// sandbox's proxy, follows the redirects and prints the authorization code. An
// application that listens on loopback gets the code by the last redirect.
func (w world) giveConsent(ctx context.Context) (int, error) {
	if len(w.args) != 1 {
		return exitUsage, errors.New("usage: globus-sandbox consent URL")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSpace(w.args[0]), nil)
	if err != nil {
		return exitUsage, err
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return exitError, err
	}
	var last *url.URL // of the last redirect
	client := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		last = r.URL
		if len(via) > 10 {
			return errors.New("more than 10 redirects")
		}
		return nil
	}}
	answer, err := client.Do(r)
	if err != nil {
		return exitError, fmt.Errorf("opening the authorize URL: %w", err)
	}
	defer answer.Body.Close()
	if last == nil {
		return exitError, fmt.Errorf("the authorize page answered %s", answer.Status)
	}
	q := last.Query()
	switch {
	case q.Get("code") == "":
		return exitError, fmt.Errorf("the authorize page refused: %s", q.Get("error"))
	case answer.StatusCode != http.StatusOK:
		return exitError, fmt.Errorf("the page after the login answered %s", answer.Status)
	}
	fmt.Fprintln(w.stdout, q.Get("code"))
	return exitOK, nil
}

func (w world) printState(ctx context.Context) (int, error) {
	return w.callSandbox(ctx, http.MethodGet, "state", "")
}

func (w world) orderFault(ctx context.Context) (int, error) {
	if len(w.args) != 1 {
		return exitUsage, errors.New("usage: globus-sandbox order JSON")
	}
	return w.callSandbox(ctx, http.MethodPost, "faults", w.args[0])
}

// callSandbox sends a control request to the sandbox that the environment names
// and prints the answer.
func (w world) callSandbox(ctx context.Context, method, what, body string) (int, error) {
	base := w.getenv("GLOBUS_SANDBOX_URL")
	if base == "" {
		return exitError, errors.New("GLOBUS_SANDBOX_URL is not set: run this inside globus-sandbox run, or source the file that globus-sandbox serve wrote")
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
