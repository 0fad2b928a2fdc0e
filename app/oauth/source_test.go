package oauth_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/oauth/oauthtest"
)

// source signs in and gives a Source whose clock the test holds.
func source(t *testing.T, s *oauthtest.Server, now *time.Time) (src *oauth.Source, saved *[]oauth.Grant) {
	t.Helper()
	g, first, err := flow(t, s).Browser(t.Context(), s.Browse)
	if err != nil {
		t.Fatal(err)
	}
	saved = new([]oauth.Grant)
	src = oauth.NewSource(s.Provider(google(t)), g, first, func(g oauth.Grant) error { *saved = append(*saved, g); return nil })
	src.Now = func() time.Time { return *now }
	return src, saved
}

// TestRenewal: a token is used while it is good, renewed before it ends, and whatever the server's clock says is of
// no interest.
func TestRenewal(t *testing.T) {
	for _, skew := range []time.Duration{0, 13 * time.Hour, -13 * time.Hour} {
		s := oauthtest.Start(t)
		s.Set(oauthtest.Answer{Skew: skew})
		now := time.Now()
		src, saved := source(t, s, &now)
		var last string
		for _, step := range []struct {
			at      time.Duration
			renewed bool
		}{{0, false}, {54 * time.Minute, false}, {56 * time.Minute, true}, {110 * time.Minute, false}, {112 * time.Minute, true}, {24 * time.Hour, true}} {
			now = time.Now().Add(step.at)
			tok, renewed, err := src.Token(t.Context())
			if err != nil || renewed != step.renewed || (tok != last) != (renewed || last == "") || !s.Valid(tok) {
				t.Errorf("skew %v, at %v: renewed %v, another %v, %v", skew, step.at, renewed, tok != last, err)
			}
			last = tok
		}
		if len(*saved) != 0 {
			t.Errorf("the refresh token did not change, and was saved %d times", len(*saved))
		}
	}
}

// TestClockAsleep: the monotonic clock stands still while a laptop sleeps; the wall clock tells.
func TestClockAsleep(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = time.Now().Add(2 * time.Hour).Round(0)
	if _, renewed, err := src.Token(t.Context()); err != nil || !renewed {
		t.Errorf("renewed %v, %v", renewed, err)
	}
}

func TestShortAndUnnamedLives(t *testing.T) {
	for life, good := range map[time.Duration]time.Duration{time.Minute: 40 * time.Second, -1: 7 * time.Minute} {
		s := oauthtest.Start(t)
		s.Set(oauthtest.Answer{Life: life})
		now := time.Now()
		src, _ := source(t, s, &now)
		for at, want := range map[time.Duration]bool{good: false, good * 3 / 2: true} {
			now = time.Now().Add(at)
			if _, renewed, err := src.Token(t.Context()); err != nil || renewed != want {
				t.Errorf("life %v, at %v: renewed %v, %v", life, at, renewed, err)
			}
			if want {
				break // the next one is of another age
			}
		}
	}
}

// TestRotation: a replaced refresh token is saved before the access token is used; a save that fails is made up for.
func TestRotation(t *testing.T) {
	s := oauthtest.Start(t)
	s.Set(oauthtest.Answer{Rotate: true})
	now := time.Now()
	src, saved := source(t, s, &now)
	keep := src.Save
	full := true
	src.Save = func(g oauth.Grant) error {
		if full {
			return errors.New("disk full")
		}
		return keep(g)
	}
	for i := range 3 {
		now = now.Add(time.Hour)
		if _, renewed, err := src.Token(t.Context()); err != nil || !renewed {
			t.Fatalf("renewal %d: %v", i, err)
		}
		if len(*saved) != i {
			t.Errorf("after renewal %d: %d saved", i, len(*saved))
		}
		full = false
	}
	last := (*saved)[1]
	if _, _, err := oauth.NewSource(s.Provider(google(t)), last, nil, keep).Token(t.Context()); err != nil {
		t.Errorf("what was saved last does not work: %v", err)
	}
}

func TestRenewalFails(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*oauthtest.Server)
		want   model.Code
	}{
		{"revoked", (*oauthtest.Server).Revoke, model.ESignInEnded},
		{"consent is asked for again", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 400, Body: `{"error":"interaction_required","error_description":"AADSTS50076: use multi-factor authentication"}`})
		}, model.ESignInEnded},
		{"denied by an administrator", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 403, Body: `{"error":"access_denied"}`})
		}, model.ESignInEnded},
		{"client deleted", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 401, Body: `{"error":"deleted_client"}`})
		}, model.ESignInClient},
		{"busy", func(s *oauthtest.Server) { s.Set(oauthtest.Answer{Status: 503}) }, model.ESignInServer},
		{"too many", func(s *oauthtest.Server) {
			s.Set(oauthtest.Answer{Status: 429, Body: `{"error":"rate_limit_exceeded"}`})
		}, model.ESignInServer},
		{"a portal in between", func(s *oauthtest.Server) { s.Set(oauthtest.Answer{Status: 200, Body: "<html>log in"}) }, model.ESignInServer},
		{"off", (*oauthtest.Server).Close, model.ESignInServer},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			now := time.Now()
			src, _ := source(t, s, &now)
			c.before(s)
			if _, _, err := src.Token(t.Context()); err != nil {
				t.Errorf("the token in hand is good: %v", err)
			}
			now = now.Add(time.Hour)
			_, _, err := src.Token(t.Context())
			keepsQuiet(t, s, err, c.want)
			if c.want != model.ESignInServer || c.name == "off" {
				return
			}
			s.Set(oauthtest.Answer{})
			if tok, _, err := src.Token(t.Context()); err != nil || !s.Valid(tok) {
				t.Errorf("it does not recover: %v", err)
			}
		})
	}
}

func TestCancelledRenewal(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = now.Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := src.Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, _, err := src.Token(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOneRenewalForAll: many connections that log in at once cost one request.
func TestOneRenewalForAll(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	now = now.Add(time.Hour)
	before := s.Asked()
	frozen := now
	src.Now = func() time.Time { return frozen }
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := src.Token(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.Asked() - before; n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestForget(t *testing.T) {
	s := oauthtest.Start(t)
	now := time.Now()
	src, _ := source(t, s, &now)
	a, _, _ := src.Token(t.Context())
	src.Forget("another one")
	if b, _, _ := src.Token(t.Context()); b != a {
		t.Error("renewed for a token that is not in use")
	}
	src.Forget(a)
	if b, renewed, err := src.Token(t.Context()); b == a || !renewed || err != nil {
		t.Errorf("renewed %v, %v", renewed, err)
	}
}
