package oauth

import (
	"context"
	"crypto/subtle"
	_ "embed" // the page that the browser shows at the end
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"hongyan/app/model"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// callback is what the browser brought.
type callback struct {
	code string
	err  *model.Error
}

// Browser signs in with the user's browser on this machine: open gets the address of the sign-in page, and the answer
// comes to a free port of 127.0.0.1 that is closed again after it. Without a deadline in ctx the user has ten minutes.
//
// Errors: ESignInNoClient, ESignInBrowser when open fails, ESignInRefused, ESignInState for an answer that belongs to
// no request of ours, ESignInScope, ESignInClient, ESignInTimeout, ESignInServer, ECancelled.
func (f *Flow) Browser(ctx context.Context, open func(url string) error) (Grant, *Token, error) {
	if err := f.check(); err != nil {
		return Grant{}, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return Grant{}, nil, model.E(model.ESignInBrowser, err)
	}
	state, verifier := newState(), oauth2.GenerateVerifier()
	answer := make(chan callback, 1)
	srv := &http.Server{Handler: f.handler(state, answer), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second,
		MaxHeaderBytes: 64 << 10, BaseContext: func(net.Listener) context.Context { return ctx }}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(ln) }()
	defer func() {
		// The page is still on its way to the browser.
		sctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if srv.Shutdown(sctx) != nil {
			_ = srv.Close()
		}
		<-served
	}()

	cfg := f.Provider.config(f.Client)
	cfg.RedirectURL = "http://" + f.loopback() + ":" + strconv.Itoa(port(ln))
	opts := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(verifier)}
	for k, v := range f.Provider.Params {
		opts = append(opts, oauth2.SetAuthURLParam(k, v))
	}
	if f.User != "" {
		opts = append(opts, oauth2.SetAuthURLParam("login_hint", f.User))
	}
	if err := open(cfg.AuthCodeURL(state, opts...)); err != nil {
		return Grant{}, nil, model.E(model.ESignInBrowser, errors.New(clip(hidden{state}.mask(err.Error()))))
	}
	cb := f.await(ctx, state, answer)
	if cb.err != nil {
		return Grant{}, nil, cb.err
	}
	asked := time.Now()
	tok, err := cfg.Exchange(withClient(ctx, httpClient(f.RT)), cb.code, oauth2.VerifierOption(verifier))
	if err != nil {
		e := explain(ctx, f.Provider, err, hidden{f.Client.Secret, cb.code, verifier})
		if e.Code == model.ESignInEnded { // the code was refused, not a permission of before
			e.Code = model.ESignInRefused
		}
		return Grant{}, nil, e
	}
	return f.granted(tok, asked)
}

// await waits for the answer, by the browser or pasted. A pasted line that holds none is passed over.
func (f *Flow) await(ctx context.Context, state string, answer <-chan callback) callback {
	pasted := f.Pasted
	for {
		select {
		case <-ctx.Done():
			return callback{err: ended(ctx.Err())}
		case cb := <-answer:
			return cb
		case line, open := <-pasted:
			if !open {
				pasted = nil
				continue
			}
			u, err := url.Parse(strings.TrimSpace(line))
			if err != nil {
				continue
			}
			if q := u.Query(); q.Has("code") || q.Has("error") {
				return f.judge(q, state)
			}
		}
	}
}

func (f *Flow) loopback() string {
	if f.Provider.Loopback != "" {
		return f.Provider.Loopback
	}
	return "127.0.0.1"
}

func port(ln net.Listener) int {
	if a, ok := ln.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

// handler takes the redirect. One answer is taken; anything else, such as the browser's wish for an icon, is none.
func (f *Flow) handler(state string, answer chan<- callback) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if r.Method != http.MethodGet || r.URL.Path != "/" || !q.Has("code") && !q.Has("error") {
			http.NotFound(w, r)
			return
		}
		cb := f.judge(q, state)
		select {
		case answer <- cb:
		default:
			http.Error(w, "gone", http.StatusGone)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		h.Set("Referrer-Policy", "no-referrer") // the address holds the code
		h.Set("Cache-Control", "no-store")
		h.Set("Connection", "close")
		if cb.err != nil {
			w.WriteHeader(http.StatusBadRequest)
		}
		_ = page.Execute(w, cb.err == nil)
	})
}

func (f *Flow) judge(q url.Values, state string) callback {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
		return callback{err: model.E(model.ESignInState, nil, "provider", f.Provider.Name)}
	}
	if code := q.Get("error"); code != "" {
		detail := clip(strings.TrimSpace(code + " " + q.Get("error_description")))
		which := model.ESignInRefused
		switch code {
		case "server_error", "temporarily_unavailable":
			which = model.ESignInServer
		case "unauthorized_client", "invalid_client", "invalid_scope", "invalid_request", "unsupported_response_type":
			which = model.ESignInClient
		}
		return callback{err: model.E(which, nil, "provider", f.Provider.Name, "host", f.Provider.AuthURL, "detail", detail)}
	}
	return callback{code: q.Get("code")}
}
