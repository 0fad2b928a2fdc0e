package oauth

import (
	"context"
	"errors"
	"net/http"
	"time"

	"golang.org/x/oauth2"

	"hongyan/app/model"
)

// Token is an access token and how long it lasts. The server's clock and ours may differ by hours: only the span that
// it gave, counted from before we asked, is believed.
type Token struct {
	text  string
	asked time.Time // with its monotonic reading
	life  time.Duration
}

// shortLife is what a token without a life is given: none lives for less, and a renewal is cheap.
const shortLife = 10 * time.Minute

func newToken(t *oauth2.Token, asked time.Time) *Token {
	life := time.Duration(t.ExpiresIn) * time.Second
	if life <= 0 && !t.Expiry.IsZero() {
		life = time.Until(t.Expiry)
	}
	if life <= 0 {
		life = shortLife
	}
	return &Token{text: t.AccessToken, asked: asked, life: life}
}

// margin is how long before its end a token is renewed: a login takes a moment, and the server may be strict.
func (t *Token) margin() time.Duration { return min(5*time.Minute, t.life/4) }

// fresh says whether the token can still be used at now. Both clocks are asked, and the one that is further on
// counts: the monotonic one stands still while a laptop sleeps, the wall clock may be set back.
func (t *Token) fresh(now time.Time) bool {
	age := max(now.Sub(t.asked), now.Round(0).Sub(t.asked.Round(0)))
	return age < t.life-t.margin()
}

// Source gives access tokens of one account, and renews them before they end. Its methods are safe for concurrent
// use; one renewal serves all who wait for it.
type Source struct {
	Provider Provider
	// Save stores a grant whose refresh token the server has replaced; the old one may be void by then. When it fails
	// it is called again at the next renewal: what can be sent meanwhile is sent.
	Save func(Grant) error
	RT   http.RoundTripper // nil: http.DefaultTransport
	Now  func() time.Time  // nil: time.Now

	turn  chan struct{} // holds one element; who takes it may use what follows
	grant Grant
	dirty bool // the grant is not saved yet
	token *Token
}

// NewSource makes a source from what a sign-in left; first is its first access token, or nil.
func NewSource(p Provider, g Grant, first *Token, save func(Grant) error) *Source {
	s := &Source{Provider: p, Save: save, grant: g, token: first, turn: make(chan struct{}, 1)}
	s.turn <- struct{}{}
	return s
}

// Token gives an access token that is good for some minutes at least. renewed says that it was made for this call.
//
// Errors: ESignInEnded when the permission is over (withdrawn, expired, password changed), ESignInClient when the
// server does not know the client any more, ESignInServer when it cannot be reached or is out of order: only the last
// is worth another try.
func (s *Source) Token(ctx context.Context) (token string, renewed bool, err error) {
	select {
	case <-s.turn:
	case <-ctx.Done():
		return "", false, model.E(model.ESignInServer, ctx.Err(), "provider", s.Provider.Name, "host", s.Provider.TokenURL)
	}
	defer func() { s.turn <- struct{}{} }()
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	asked := now()
	if s.token != nil && s.token.fresh(asked) {
		return s.token.text, false, nil
	}
	s.token = nil
	cfg := s.Provider.config(s.grant.client())
	tok, err := cfg.TokenSource(withClient(ctx, httpClient(s.RT)), &oauth2.Token{RefreshToken: s.grant.RefreshToken}).Token()
	if err != nil {
		return "", false, s.explain(ctx, err)
	}
	if tok.RefreshToken != "" && tok.RefreshToken != s.grant.RefreshToken {
		s.grant.RefreshToken, s.dirty = tok.RefreshToken, true
	}
	if s.dirty {
		s.dirty = s.Save(s.grant) != nil
	}
	s.token = newToken(tok, asked)
	return s.token.text, true, nil
}

func (s *Source) explain(ctx context.Context, err error) error {
	if c := ctx.Err(); c != nil && errors.Is(c, context.Canceled) {
		return c // a stop of the user, which is nobody's fault
	}
	e := explain(context.WithoutCancel(ctx), s.Provider, err, hidden{s.grant.RefreshToken, s.grant.ClientSecret})
	if e.Code == model.ESignInRefused || e.Code == model.ESignInTimeout {
		e.Code = model.ESignInEnded // at a renewal nobody is asked: a refusal means that the permission is over
	}
	return e
}

// Forget makes the next call of Token renew, if token is still the one in use: a server did not take it, although its
// time is not over.
func (s *Source) Forget(token string) {
	<-s.turn
	defer func() { s.turn <- struct{}{} }()
	if s.token != nil && s.token.text == token {
		s.token = nil
	}
}

func errorCode(err error) string {
	if re, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return re.ErrorCode
	}
	return ""
}
