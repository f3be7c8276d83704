package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"chiltepin/globus/auth"
	"chiltepin/tools/operation"
)

// confirmLogin is how a login asks whether it is the person's own before it is
// stored.
func confirmLogin(configDir string) func(context.Context, auth.Doubt) error {
	return func(ctx context.Context, d auth.Doubt) error {
		err := operation.Consent(ctx, operation.Question{
			Operation: "login",
			Subject:   cmp.Or(d.Identity.Username, d.Identity.ID),
			ID:        d.Identity.ID + " " + d.Replaces.ID,
			ConfigDir: configDir,
			Keeps:     d.Replaces.ID == "",
			Late:      true,
			Text:      doubtText(d),
		})
		if errors.Is(err, operation.ErrPostponed) {
			return fmt.Errorf("%w: %w", auth.ErrUnanswered, err)
		}
		return err
	}
}

func doubtText(d auth.Doubt) string {
	who := operation.Clean(cmp.Or(d.Identity.Username, d.Identity.ID))
	text := fmt.Sprintf("Somebody has logged in as %s.", who)
	if d.Stranger {
		text += " This machine does not tell whose browser that was."
	}
	if d.Replaces.ID != "" {
		text += fmt.Sprintf(" The tokens in %s are those of %s; they would be replaced and revoked.", operation.Clean(d.Store), operation.Clean(cmp.Or(d.Replaces.Username, d.Replaces.ID)))
	}
	return text + fmt.Sprintf(" Are you %s, and is this your login?", who)
}
