package sandbox

import (
	"fmt"
	"slices"
	"time"
)

// settingsDoc is Settings as the control path reads it: durations as text,
// and only what is there is changed.
type settingsDoc struct {
	AccessLifetime   *string  `json:"access_lifetime"`
	RefreshLifetime  *string  `json:"refresh_lifetime"`
	CodeLifetime     *string  `json:"code_lifetime"`
	StartTimeout     *string  `json:"start_timeout"`
	OnlineGrace      *string  `json:"online_grace"`
	LockFor          *string  `json:"lock_for"`
	RotateRefresh    *bool    `json:"rotate_refresh"`
	Consent          *string  `json:"consent"`
	Identity         *string  `json:"identity"`
	HeartbeatsMissed *float64 `json:"heartbeats_missed"`
	MinimumVersion   *string  `json:"minimum_version"`
	PolicyMFA        *bool    `json:"policy_mfa"`
	PolicyDomain     *string  `json:"policy_domain"`
}

func (s *Sandbox) handleSettings(in settingsDoc) (any, error) {
	if in.Consent != nil && !slices.Contains([]string{"auto", "ask", "deny"}, *in.Consent) {
		return nil, fmt.Errorf("consent: want auto, ask or deny, got %q", *in.Consent)
	}
	var v Settings
	durations := []struct {
		name string
		text *string
		into func(*Settings) *time.Duration
	}{
		{"access_lifetime", in.AccessLifetime, func(v *Settings) *time.Duration { return &v.AccessLifetime }},
		{"refresh_lifetime", in.RefreshLifetime, func(v *Settings) *time.Duration { return &v.RefreshLifetime }},
		{"code_lifetime", in.CodeLifetime, func(v *Settings) *time.Duration { return &v.CodeLifetime }},
		{"start_timeout", in.StartTimeout, func(v *Settings) *time.Duration { return &v.StartTimeout }},
		{"online_grace", in.OnlineGrace, func(v *Settings) *time.Duration { return &v.OnlineGrace }},
		{"lock_for", in.LockFor, func(v *Settings) *time.Duration { return &v.LockFor }},
	}
	for _, d := range durations {
		if d.text == nil {
			continue
		}
		value, err := parseDuration(d.name, *d.text)
		if err != nil {
			return nil, err
		}
		*d.into(&v) = value
	}
	s.Configure(func(now *Settings) {
		for _, d := range durations {
			if d.text != nil {
				*d.into(now) = *d.into(&v)
			}
		}
		setIfGiven(&now.RotateRefresh, in.RotateRefresh)
		setIfGiven(&now.Consent, in.Consent)
		setIfGiven(&now.Identity, in.Identity)
		setIfGiven(&now.HeartbeatsMissed, in.HeartbeatsMissed)
		setIfGiven(&now.MinimumVersion, in.MinimumVersion)
		setIfGiven(&now.Policy.MFA, in.PolicyMFA)
		setIfGiven(&now.Policy.Domain, in.PolicyDomain)
	})
	return describeSettings(s.settings.currentValues()), nil
}

func setIfGiven[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func describeSettings(v Settings) map[string]any {
	return map[string]any{
		"access_lifetime": v.AccessLifetime.String(), "refresh_lifetime": v.RefreshLifetime.String(),
		"code_lifetime": v.CodeLifetime.String(), "start_timeout": v.StartTimeout.String(),
		"online_grace": v.OnlineGrace.String(), "lock_for": v.LockFor.String(),
		"rotate_refresh": v.RotateRefresh, "consent": v.Consent, "identity": v.Identity,
		"heartbeats_missed": v.HeartbeatsMissed, "minimum_version": v.MinimumVersion,
		"policy_mfa": v.Policy.MFA, "policy_domain": v.Policy.Domain,
	}
}
