package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"html/template"
	"strings"
	"time"

	"chiltepin/globus"
)

// pageContent is what a page says.
type pageContent struct {
	// Good is true of a login that is done.
	Good        bool
	Title, Text string
	Who         string
	Services    []pageService
	Next        []string // paragraphs: what to do now
	Commands    []string // to type
}

type pageService struct{ Name, Until string }

// pageTemplate is a page without script and with nothing from the network.
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
<caption>What the Globus programs on that machine may use now</caption>
<thead><tr><th scope="col">Service</th><th scope="col">Until</th></tr></thead>
<tbody>
{{range .}}<tr><th scope="row">{{.Name}}</th><td>{{.Until}}</td></tr>
{{end}}</tbody>
</table>
{{end}}<h2>What to do next</h2>
{{range .Next}}<p>{{.}}</p>
{{end}}{{with .Commands}}<pre>{{range .}}{{.}}
{{end}}</pre>
{{end}}</main>
</body>
</html>
`))
}

// Sheet is the style of the page as it stands in it.
func (pageContent) Sheet() template.HTML {
	return template.HTML("<style>" + pageStyle + "</style>")
}

// pageStyle is all that the page wears. Its colours keep a contrast of 7 to 1 on
// both grounds.
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

// pageStyleHash is how the page's policy admits this style and no other.
func pageStyleHash() string {
	sum := sha256.Sum256([]byte(pageStyle))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// loggedInPage tells who is logged in, for what, until when, and what comes next.
func loggedInPage(a Account, services []string) pageContent {
	v := pageContent{
		Good: true, Title: "You are logged in",
		Next:     []string{"You can close this page: the program that asked goes on by itself. For a first endpoint:"},
		Commands: []string{"chiltepin endpoint configure my-endpoint", "chiltepin endpoint start my-endpoint"},
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

// validityText says how long the tokens of a service serve.
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

// unknownAddressPage answers what is no part of a login.
func unknownAddressPage() pageContent {
	return pageContent{
		Title: "Nothing is here",
		Text:  "This address is for the end of a Globus login that Chiltepin has begun, and nothing else.",
		Next:  []string{"Close this page. A login that is under way is not disturbed."},
	}
}

// errorPage tells what went wrong.
func errorPage(err error) pageContent {
	again := "Run the login again, and use the page that it opens."
	v := pageContent{Title: "The login did not succeed", Text: asSentence(err.Error()), Next: []string{again}}
	identity, isIdentity := errors.AsType[*IdentityError](err)
	switch {
	case errors.Is(err, errOtherLogin):
		v.Title = "This is not the login that was begun here"
		v.Text = "What this page was given belongs to another login, or to none. Nothing was done with it."
		v.Next = []string{"Close this page, and use the address that the program shows. A login that is under way is not disturbed."}
	case errors.Is(err, errAlreadyUsed):
		v.Title = "This page was used already"
		v.Text = "An address with a login works once."
		v.Next = []string{"Look at the program that asked: it tells whether the login succeeded. If not, run it again."}
	case isErrorOf[*DeniedError](err):
		v.Title = "Access was not allowed"
		v.Text = "Globus says that consent was declined, so there are no tokens for what was asked. What was logged in before stays so."
		v.Next = []string{"To log in after all, run the login again and allow what the page lists."}
	case isIdentity:
		v.Title = "Another identity is logged in"
		v.Text = "You came as " + called(identity.New, identity.NewName) + ", but the tokens on this machine belong to " + called(identity.Stored, identity.StoredName) + ". They were left as they are."
		v.Next = []string{"Log in again as the other identity, or end its login first:"}
		v.Commands = []string{"chiltepin logout"}
	case isErrorOf[*CodeError](err):
		v.Title = "The login has expired"
		v.Text = "Globus does not accept the code any more: it is too old, or was used before."
	case isErrorOf[*ScopeError](err):
		v.Title = "Not everything was allowed"
		v.Next = []string{"Run the login again and allow all that the page lists."}
	case isErrorOf[*IntrusionError](err):
		v.Title = "Somebody else has used this address"
	case globus.IsUnavailable(err):
		v.Title = "Globus cannot be reached"
		v.Next = []string{"Check the network of the machine on which the login runs, and run it again."}
	}
	return v
}

// asSentence begins with a capital and ends with a full stop.
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
