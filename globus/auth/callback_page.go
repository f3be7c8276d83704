package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"strings"
	"time"

	"chiltepin/globus"
	"chiltepin/globus/next"
)

// pageContent is what a page shows.
type pageContent struct {
	// Good is true of a login that is done.
	Good        bool
	Title, Text string
	Who         string
	Services    []pageService
	Next        []string // paragraphs: what to do now
	// Steps are shown as Commands, below StepsIntro.
	Steps      []next.Step
	StepsIntro string
	Commands   []string
}

type pageService struct{ Name, Until string }

// pageTemplate is a page without scripts that loads nothing from the network.
func pageTemplate() *template.Template {
	return template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}} - Chiltepin</title>
<link rel="icon" href="data:,">
{{.Sheet}}
</head>
<body>
<main>
<h1{{if not .Good}} class="bad"{{end}}><span aria-hidden="true">{{if .Good}}✓{{else}}✕{{end}}</span> {{.Title}}</h1>
{{with .Text}}<p>{{.}}</p>
{{end}}{{with .Who}}<p class="who">You are <strong>{{.}}</strong>.</p>
{{end}}{{with .Services}}<table>
<caption>What the Globus programs on that machine can use now</caption>
<thead><tr><th scope="col">Service</th><th scope="col">Until</th></tr></thead>
<tbody>
{{range .}}<tr><th scope="row">{{.Name}}</th><td>{{.Until}}</td></tr>
{{end}}</tbody>
</table>
{{end}}<h2>What to do next</h2>
{{range .Next}}<p>{{.}}</p>
{{end}}{{with .Commands}}<p>{{$.StepsIntro}}</p>
<pre>{{range .}}{{.}}
{{end}}</pre>
{{end}}</main>
</body>
</html>
`))
}

// Sheet is the style sheet as it stands in the page.
func (pageContent) Sheet() template.HTML {
	return template.HTML("<style>" + pageStyle + "</style>")
}

// pageStyle is the style sheet of the page. Its colours have a contrast of 7 to
// 1 on both the light and the dark background.
const pageStyle = `:root{color-scheme:light dark;--ground:#fff;--ink:#1b1b1b;--faint:#4d4d4d;--line:#c9c9c9;--good:#0b5d1e;--bad:#9c1414;--code:#f2f2f2}
@media (prefers-color-scheme:dark){:root{--ground:#161616;--ink:#efefef;--faint:#bdbdbd;--line:#4a4a4a;--good:#7fdc95;--bad:#ff9d94;--code:#262626}}
body{margin:0;background:var(--ground);color:var(--ink);font:1.05rem/1.55 system-ui,sans-serif}
main{max-width:38rem;margin:7vh auto;padding:0 1.25rem}
h1{font-size:1.7rem;line-height:1.25;color:var(--good);margin:0 0 1rem}
h1.bad{color:var(--bad)}
h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.5rem 0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;margin:1.25rem 0}
caption{text-align:left;color:var(--faint);padding-bottom:.4rem}
th,td{text-align:left;padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);font-weight:inherit;vertical-align:top}
thead th{color:var(--faint)}
pre{background:var(--code);padding:.75rem 1rem;border-radius:.4rem;overflow-x:auto;font:.95rem/1.5 ui-monospace,monospace;margin:.75rem 0}`

// pageStyleHash lets the Content-Security-Policy admit this style sheet only.
func pageStyleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// loggedInPage says who is logged in, to which services, until when, and what
// comes next.
func loggedInPage(a Account) pageContent {
	v := pageContent{
		Good: true, Title: "You are logged in",
		Next:       []string{"You can close this page. The program that opened it continues by itself."},
		StepsIntro: "To set up a first endpoint:",
		Steps:      []next.Step{next.Endpoint(next.EndpointConfigure, "my-endpoint", ""), next.Endpoint(next.EndpointStart, "my-endpoint", "")},
	}
	v.Who = a.Identity.Username
	if v.Who == "" {
		v.Who = a.Identity.ID
	}
	if a.Identity.Name != "" && v.Who != a.Identity.Name {
		v.Who = a.Identity.Name + " (" + v.Who + ")"
	}
	for _, s := range a.Services {
		one := pageService{Name: serviceTitle(s.Service), Until: "not logged in"}
		if s.LoggedIn {
			one.Until = validityText(s.Tokens)
		}
		v.Services = append(v.Services, one)
	}
	return v
}

func serviceTitle(service string) string {
	return map[string]string{Compute: "Globus Compute", Transfer: "Globus Transfer", Academy: "Academy exchange"}[service]
}

// validityText says how long the tokens of a service can be used.
func validityText(tokens []TokenInfo) string {
	var first time.Time
	for _, t := range tokens {
		if !t.Refreshable && (first.IsZero() || t.Expires.Before(first)) {
			first = t.Expires
		}
	}
	if first.IsZero() {
		return "you log out, or six months without use"
	}
	return first.Local().Format("2 January 2006, 15:04")
}

// unknownAddressPage answers requests that are no part of a login.
func unknownAddressPage() pageContent {
	return pageContent{
		Title: "Nothing is here",
		Text:  "This address is only for the last step of a Globus login that Chiltepin began.",
		Next:  []string{"Close this page. A login that is under way continues."},
	}
}

// otherUserPage answers programs of other users. It tells them nothing.
func otherUserPage() pageContent {
	return pageContent{
		Title: "This page is another user's",
		Text:  "Only programs of the user who began a login may use its page.",
		Next:  []string{"Close this page."},
	}
}

// errorPage says what went wrong.
func errorPage(err error) pageContent {
	again := "Run the login again, and use the page that it opens."
	v := pageContent{Title: "The login did not succeed", Text: asSentence(err.Error()), Next: []string{again}}
	identity, isIdentity := errors.AsType[*IdentityError](err)
	switch {
	case errors.Is(err, errOtherLogin):
		v.Title = "This is not the login that was begun here"
		v.Text = "The address of this page belongs to another login, or to none. It was ignored."
		v.Next = []string{"Close this page, and open the address that the program shows. A login that is under way continues."}
	case errors.Is(err, errAlreadyUsed):
		v.Title = "This page was used already"
		v.Text = "Each address of a login works only once."
		v.Next = []string{"The program that began the login says whether it succeeded. If it did not, run the login again."}
	case isErrorOf[*DeniedError](err):
		v.Title = "Access was declined"
		v.Text = "Consent was declined on the page of Globus, so no new tokens were issued. Earlier logins are unchanged."
		v.Next = []string{"To log in, run the login again and allow everything that the page lists."}
	case isIdentity:
		v.Title = "Another identity is logged in"
		v.Text = "You logged in as " + describeIdentity(identity.New, identity.NewName) + ", but the tokens on this machine belong to " + describeIdentity(identity.Stored, identity.StoredName) + ". Those tokens are unchanged."
		v.Next = []string{"Log in again as that identity, or end its login first."}
		v.StepsIntro = "To end its login:"
		v.Steps = []next.Step{next.Call(next.Logout, nil, "")}
	case isErrorOf[*UnconfirmedError](err):
		v.Title = "Nobody confirmed this login"
	case isErrorOf[*CodeError](err):
		v.Title = "The login has expired"
		v.Text = "Globus no longer accepts this code: it is too old or was used already."
	case isErrorOf[*ScopeError](err):
		v.Title = "Not everything was allowed"
		v.Next = []string{"Run the login again and allow everything that the page lists."}
	case isErrorOf[*IntrusionError](err):
		v.Title = "Somebody else opened this address"
	case globus.IsUnavailable(err):
		v.Title = "Globus cannot be reached"
		v.Next = []string{"Check the network of the machine on which the login runs, and run it again."}
	}
	return v
}

// asSentence adds a capital and a full stop.
func asSentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

func isErrorOf[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}
