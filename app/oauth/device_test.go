package oauth_test

import (
	"context"
	"testing"
	"time"

	"hongyan/app/model"
	"hongyan/app/oauth"
	"hongyan/app/oauth/oauthtest"
)

func TestDevice(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer oauthtest.Answer
		want   model.Code
		waits  []time.Duration
	}{
		{"at once", oauthtest.Answer{}, "", secs(1)},
		{"no interval", oauthtest.Answer{NoInterval: true}, "", secs(5)},
		{"pending", oauthtest.Answer{Device: []string{"authorization_pending", "authorization_pending"}}, "", secs(1, 1, 1)},
		{"slow down", oauthtest.Answer{Device: []string{"slow_down", "authorization_pending", "slow_down"}}, "", secs(1, 6, 6, 11)},
		{"a server that fails once", oauthtest.Answer{Device: []string{"503", "authorization_pending"}}, "", secs(1, 6, 6)},
		{"denied", oauthtest.Answer{Device: []string{"authorization_pending", "access_denied"}}, model.ESignInRefused, secs(1, 1)},
		{"declined, in Microsoft's words", oauthtest.Answer{Device: []string{"authorization_declined"}}, model.ESignInRefused, secs(1)},
		{"expired", oauthtest.Answer{Device: []string{"expired_token"}}, model.ESignInTimeout, secs(1)},
		{"down for good", oauthtest.Answer{Device: []string{"503", "503", "503", "503", "503"}}, model.ESignInServer, secs(1, 6, 11, 16, 21)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := oauthtest.Start(t)
			s.Set(c.answer)
			f := flow(t, s)
			var waits []time.Duration
			f.Wait = func(ctx context.Context, d time.Duration) error { waits = append(waits, d); return ctx.Err() }
			var shown oauth.DeviceCode
			g, _, err := f.Device(t.Context(), func(d oauth.DeviceCode) { shown = d })
			keepsQuiet(t, s, err, c.want)
			if (g.RefreshToken == "") != (c.want != "") {
				t.Errorf("grant: %v", g.RefreshToken != "")
			}
			if shown.Code != "WDJB-MJHT" || shown.URL != s.URL()+"/activate" || time.Until(shown.Until) < 9*time.Minute {
				t.Errorf("shown: %+v", shown)
			}
			if len(waits) != len(c.waits) {
				t.Fatalf("waits %v, want %v", waits, c.waits)
			}
			for i := range waits {
				if waits[i] != c.waits[i] {
					t.Errorf("waits %v, want %v", waits, c.waits)
				}
			}
		})
	}
}

func secs(n ...int) []time.Duration {
	var ds []time.Duration
	for _, x := range n {
		ds = append(ds, time.Duration(x)*time.Second)
	}
	return ds
}

func TestDeviceEnds(t *testing.T) {
	s := oauthtest.Start(t)
	_, _, err := (&oauth.Flow{Provider: google(t), Client: client}).Device(t.Context(), nil)
	keepsQuiet(t, s, err, model.ESignInNoDevice)

	ctx, cancel := context.WithCancel(t.Context())
	_, _, err = flow(t, s).Device(ctx, func(oauth.DeviceCode) { cancel() })
	keepsQuiet(t, s, err, model.ECancelled)

	s.Set(oauthtest.Answer{DeviceLife: time.Second})
	f := flow(t, s)
	f.Wait = func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }
	_, _, err = f.Device(t.Context(), func(oauth.DeviceCode) {})
	keepsQuiet(t, s, err, model.ESignInTimeout)
}
