package oauth

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"hongyan/app/model"
)

// requestTimeout bounds one request to an authorization server.
const requestTimeout = 30 * time.Second

// httpClient talks to authorization servers. It follows no redirect: one would carry the secrets of the request on.
func httpClient(rt http.RoundTripper) *http.Client {
	return &http.Client{Transport: rt, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func withClient(ctx context.Context, c *http.Client) context.Context {
	return context.WithValue(ctx, oauth2.HTTPClient, c)
}

// hidden are texts that must not be shown.
type hidden []string

// mask takes them out of s, bare or as part of a query.
func (h hidden) mask(s string) string {
	for _, secret := range h {
		if secret == "" {
			continue
		}
		s = strings.ReplaceAll(s, secret, "****")
		s = strings.ReplaceAll(s, url.QueryEscape(secret), "****")
	}
	return s
}

// explain makes a coded error of a failed request. What the server says of it is quoted, masked and in one line, and
// nothing else of the answer: its body may hold tokens.
func explain(ctx context.Context, p Provider, err error, secrets hidden) *model.Error {
	host := p.TokenURL
	if u, e := url.Parse(p.TokenURL); e == nil {
		host = u.Host
	}
	coded := func(code model.Code, detail string) *model.Error {
		return model.E(code, nil, "provider", p.Name, "host", host, "detail", clip(secrets.mask(detail)))
	}
	if c := ctx.Err(); c != nil {
		return ended(c)
	}
	re, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok {
		return coded(model.ESignInServer, err.Error())
	}
	detail := strings.TrimSpace(re.ErrorCode + " " + re.ErrorDescription)
	status := 0
	if re.Response != nil {
		status = re.Response.StatusCode
	}
	if detail == "" {
		detail = "HTTP " + http.StatusText(status)
	}
	switch re.ErrorCode {
	case "invalid_grant", "interaction_required", "consent_required", "login_required":
		return coded(model.ESignInEnded, detail)
	case "invalid_client", "unauthorized_client", "deleted_client", "disabled_client", "redirect_uri_mismatch", "invalid_scope", "unsupported_grant_type":
		return coded(model.ESignInClient, detail)
	case "access_denied", "authorization_declined":
		return coded(model.ESignInRefused, detail)
	case "expired_token", "code_expired":
		return coded(model.ESignInTimeout, detail)
	case "server_error", "temporarily_unavailable":
		return coded(model.ESignInServer, detail)
	}
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || re.ErrorCode == "" {
		return coded(model.ESignInServer, detail)
	}
	return coded(model.ESignInRefused, detail)
}

// ended is what a context's end means here.
func ended(err error) *model.Error {
	if errors.Is(err, context.DeadlineExceeded) {
		return model.E(model.ESignInTimeout, nil)
	}
	return model.E(model.ECancelled, nil)
}

// clip makes one line of at most 300 characters.
func clip(s string) string {
	r := []rune(strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " "))
	if len(r) > 300 {
		return string(r[:299]) + "…"
	}
	return string(r)
}
