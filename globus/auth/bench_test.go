package auth_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/auth"
	"chiltepin/globus/sandbox/sandboxtest"
)

// BenchmarkRedirectToLoggedIn reports how long a person who comes back from
// Globus Auth waits for the page "You are logged in", and how much of it is our
// own: what is left without the answers of Globus, of which there are three for
// each client (the tokens, who signed them, and the keys).
func BenchmarkRedirectToLoggedIn(b *testing.B) {
	var theirs atomic.Int64
	var all time.Duration
	for b.Loop() {
		b.StopTimer()
		box := sandboxtest.New(b)
		env, err := globus.NewEnvironment(func(string) string { return "" })
		if err != nil {
			b.Fatal(err)
		}
		through := roundTripper(func(r *http.Request) (*http.Response, error) {
			began := time.Now()
			defer func() { theirs.Add(int64(time.Since(began))) }()
			return box.RoundTripper().RoundTrip(r)
		})
		home := b.TempDir()
		m, err := auth.New(auth.Config{Env: env, HTTP: env.ClientOver(through), Home: home, ComputeDir: home + "/.globus_compute"})
		if err != nil {
			b.Fatal(err)
		}
		result, err := m.Login(b.Context(), auth.LoginOptions{Method: auth.Browser, Wait: time.Nanosecond})
		if err != nil {
			b.Fatal(err)
		}
		// The stand-in's key is made when it is first needed, and not here.
		warm, err := http.NewRequest("GET", "https://auth.globus.org/jwk.json", nil)
		if err == nil {
			_, err = box.RoundTripper().RoundTrip(warm)
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		began := time.Now()
		page, err := box.NewBrowser().Visit(result.Pending.URL)
		all += time.Since(began)
		if err != nil || page.Status != 200 {
			b.Fatal(page.Status, err)
		}
	}
	n := float64(b.N)
	b.ReportMetric(float64(all.Microseconds())/1000/n, "ms/login")
	b.ReportMetric(float64(all.Microseconds()-theirs.Load()/1000)/1000/n, "ms-our-own")
	b.ReportMetric(0, "ns/op")
}
