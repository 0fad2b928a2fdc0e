package oauthtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"hongyan/app/oauth"
)

// TB is the part of testing.TB that the server uses.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// The client that the server knows.
const (
	ClientID     = "hongyan-test-client"
	ClientSecret = "c1ient secret+/=&"
)

// Answer changes how the server behaves. The zero value grants everything.
type Answer struct {
	Refuse      string        // the redirect's error, such as "access_denied"
	BadState    bool          // the redirect bears another state
	Scope       string        // the scopes granted; "": not named
	Life        time.Duration // of access tokens; 0: an hour; negative: not named
	Rotate      bool          // every renewal replaces the refresh token
	NoRefresh   bool          // no refresh token
	Status      int           // of every answer of the token endpoint, with Body
	Body        string
	Skew        time.Duration // of the server's clock
	Device      []string      // errors that the device flow answers, one a question; then it grants
	DeviceLife  time.Duration // of the device code; 0: 10 minutes
	NoInterval  bool
	TokenFormat string // "form": the answer of the token endpoint is a form, as old servers send it
}

// Server is the authorization server.
type Server struct {
	t   TB
	srv *httptest.Server

	mu      sync.Mutex
	answer  Answer
	codes   map[string]url.Values // of the authorization request, by code
	refresh map[string]bool
	access  map[string]bool
	issued  []string // every secret it gave
	asked   int      // questions of the token endpoint
	hint    string
}

// Start starts a server that ends with the test.
func Start(t TB) *Server {
	t.Helper()
	s := &Server{t: t, codes: map[string]url.Values{}, refresh: map[string]bool{}, access: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("POST /device", s.device)
	s.srv = httptest.NewServer(mux)
	t.Cleanup(s.srv.Close)
	return s
}

// URL is where the server listens.
func (s *Server) URL() string { return s.srv.URL }

// Close stops it before the test ends.
func (s *Server) Close() { s.srv.Close() }

// Provider is p with the addresses of the server.
func (s *Server) Provider(p oauth.Provider) oauth.Provider {
	p, err := p.With(s.srv.URL+"/authorize", s.srv.URL+"/token", s.srv.URL+"/device")
	if err != nil {
		s.t.Errorf("oauthtest: %v", err)
	}
	return p
}

// Set changes the behaviour from now on.
func (s *Server) Set(a Answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = a
}

// Revoke withdraws every permission, as the user can on the provider's page.
func (s *Server) Revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.refresh)
	clear(s.access)
}

// Spoil makes the access tokens void before their time; refresh tokens stay.
func (s *Server) Spoil() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.access)
}

// Valid tells whether a mail server would take an access token.
func (s *Server) Valid(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.access[token]
}

// Issued lists every code and token that was given: none may ever be shown.
func (s *Server) Issued() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

// Asked counts the requests to the token endpoint.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Hint is the mailbox that the last authorization request named.
func (s *Server) Hint() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hint
}

// Browse is a user with a browser: it opens a page, agrees, and follows the redirect. It fits oauth.Flow.Browser.
func (s *Server) Browse(page string) error {
	go func() {
		body, err := Get(page)
		if err != nil {
			s.t.Errorf("oauthtest: browser: %v", err)
		} else if !strings.Contains(body, "关闭") || !strings.Contains(body, "close this tab") {
			s.t.Errorf("oauthtest: the last page says %q", body)
		}
	}()
	return nil
}

// Get follows redirects from an address to a page.
func Get(page string) (string, error) {
	c := &http.Client{Timeout: 10 * time.Second}
	defer c.CloseIdleConnections()
	r, err := c.Get(page)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

func (s *Server) secret(kind string) string {
	v := kind + "-" + rand.Text()
	s.issued = append(s.issued, v)
	return v
}

func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := r.URL.Query()
	s.hint = q.Get("login_hint")
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Scheme != "http" || !slices.Contains([]string{"127.0.0.1", "localhost"}, back.Hostname()) || back.Port() == "" {
		s.t.Errorf("oauthtest: redirect_uri %q", q.Get("redirect_uri"))
	}
	for k, want := range map[string]string{"client_id": ClientID, "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(k) != want {
			s.t.Errorf("oauthtest: authorize: %s is %q", k, q.Get(k))
		}
	}
	if len(q.Get("state")) < 20 || len(q.Get("code_challenge")) != 43 || q.Get("scope") == "" {
		s.t.Errorf("oauthtest: authorize: state, challenge or scope: %v", q)
	}
	v := url.Values{"state": {q.Get("state")}}
	if s.answer.BadState {
		v.Set("state", "of another request")
	}
	if s.answer.Refuse != "" {
		v.Set("error", s.answer.Refuse)
		v.Set("error_description", "The user said no.")
	} else {
		code := s.secret("code")
		s.codes[code] = q
		v.Set("code", code)
	}
	back.Host = "127.0.0.1:" + back.Port()
	back.RawQuery = v.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //#nosec G710 -- its host was set to loopback above
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	a := s.answer
	w.Header().Set("Date", time.Now().Add(a.Skew).UTC().Format(http.TimeFormat))
	if a.Status != 0 {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(a.Status)
		_, _ = io.WriteString(w, a.Body)
		return
	}
	if err := r.ParseForm(); err != nil {
		s.t.Errorf("oauthtest: token: %v", err)
	}
	f := r.PostForm
	if r.URL.RawQuery != "" {
		s.t.Errorf("oauthtest: secrets in an address: %s", r.URL.RawQuery)
	}
	if f.Get("client_id") != ClientID || f.Get("client_secret") != "" && f.Get("client_secret") != ClientSecret {
		refuse(w, http.StatusUnauthorized, "invalid_client", "The OAuth client was not found.")
		return
	}
	switch g := f.Get("grant_type"); g {
	case "authorization_code":
		q, known := s.codes[f.Get("code")]
		delete(s.codes, f.Get("code")) // for one use
		sum := sha256.Sum256([]byte(f.Get("code_verifier")))
		if !known || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || f.Get("redirect_uri") != q.Get("redirect_uri") {
			refuse(w, http.StatusBadRequest, "invalid_grant", "Bad code or verifier: "+f.Get("code"))
			return
		}
	case "refresh_token":
		if !s.refresh[f.Get("refresh_token")] {
			refuse(w, http.StatusBadRequest, "invalid_grant", "Token has been expired or revoked: "+f.Get("refresh_token"))
			return
		}
	case "urn:ietf:params:oauth:grant-type:device_code":
		if f.Get("device_code") == "" || s.codes[f.Get("device_code")] == nil {
			refuse(w, http.StatusBadRequest, "invalid_grant", "no such device code")
			return
		}
		if len(a.Device) > 0 {
			s.answer.Device = a.Device[1:]
			if a.Device[0] == "503" {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
			refuse(w, http.StatusBadRequest, a.Device[0], "device "+f.Get("device_code"))
			return
		}
	default:
		s.t.Errorf("oauthtest: grant_type %q", g)
	}
	s.grant(w, f)
}

func (s *Server) grant(w http.ResponseWriter, f url.Values) {
	a := s.answer
	access := s.secret("access")
	s.access[access] = true
	m := map[string]any{"access_token": access, "token_type": "Bearer"}
	switch {
	case a.Life == 0:
		m["expires_in"] = 3600
	case a.Life > 0:
		m["expires_in"] = int(a.Life / time.Second)
	}
	if a.Scope != "" {
		m["scope"] = a.Scope
	}
	if (f.Get("grant_type") != "refresh_token" || a.Rotate) && !a.NoRefresh {
		fresh := s.secret("refresh")
		delete(s.refresh, f.Get("refresh_token"))
		s.refresh[fresh] = true
		m["refresh_token"] = fresh
	}
	if a.TokenFormat == "form" {
		v := url.Values{}
		for k, x := range m {
			v.Set(k, fmt.Sprint(x))
		}
		w.Header().Set("Content-Type", "application/x-www-form-urlencoded")
		_, _ = io.WriteString(w, v.Encode())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m)
}

func (s *Server) device(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = r.ParseForm()
	if r.PostForm.Get("client_id") != ClientID {
		refuse(w, http.StatusUnauthorized, "invalid_client", "unknown")
		return
	}
	code := s.secret("device")
	s.codes[code] = url.Values{}
	life := s.answer.DeviceLife
	if life == 0 {
		life = 10 * time.Minute
	}
	m := map[string]any{"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": s.srv.URL + "/activate", "expires_in": life.Seconds()}
	if !s.answer.NoInterval {
		m["interval"] = 1
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(m)
}

func refuse(w http.ResponseWriter, status int, code, description string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": description})
}
