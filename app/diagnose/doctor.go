package diagnose

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"hongyan/app/model"
	"hongyan/app/provider"
	"hongyan/smtpx"
)

// Status is how one examination of the doctor ended.
type Status string

// The statuses.
const (
	Pass Status = "pass"
	Warn Status = "warn" // it works, but something should be known
	Fail Status = "fail"
)

// Check is one finding of the doctor. Name is what was looked at ("doctor.<Name>" in the language files), Key +
// ".what" the sentence and Key + ".do", where there is one, the fix; Args fill them.
type Check struct {
	Name   string            `json:"check"`
	Status Status            `json:"status"`
	Key    string            `json:"key"`
	Args   map[string]string `json:"args,omitempty"`
}

// Report is how an examination ended.
type Report struct {
	OK     bool
	Checks []Check
	// Better are settings that are likely to work where the given ones do not, or nil.
	Better *model.Account
}

// Doctor examines how an account can send: name, line, TLS, extensions, login, sender. It logs in at most once,
// and stops at the first thing that fails: what comes after it would only repeat the cause. Of an account that can send
// from the user's own domain it tells whether receivers will believe that: MX, SPF, DKIM and DMARC.
type Doctor struct {
	// Dial is smtpx.Dial, or what a test puts in its place.
	Dial func(context.Context, *smtpx.Config) (*smtpx.Session, error)
	// LookupHost is the resolver's.
	LookupHost func(ctx context.Context, host string) ([]string, error)
	// Resolver is asked about the domain of From, when it is the user's own; nil leaves that out.
	Resolver Resolver
	Now      func() time.Time
}

// doctorTimeout bounds each connection: a person is waiting.
const doctorTimeout = 30 * time.Second

// Examine looks at an account. cfg says how to reach it, with the login; progress, when not nil, gets each
// finding as it comes. Its error is only ever the context's.
func (d *Doctor) Examine(ctx context.Context, acct *model.Account, cfg *smtpx.Config, progress func(Check)) (Report, error) {
	x := &examination{d: d, acct: acct, progress: progress}
	if x.progress == nil {
		x.progress = func(Check) {}
	}
	x.report.OK = x.name(ctx) && x.line(ctx, cfg) && x.login(ctx, cfg)
	if err := ctx.Err(); err != nil {
		return x.report, err
	}
	if !x.report.OK {
		x.report.Better = x.better()
		return x.report, nil
	}
	x.domain(ctx)
	return x.report, ctx.Err()
}

type examination struct {
	d        *Doctor
	acct     *model.Account
	progress func(Check)
	report   Report
	last     Diagnosis // of what failed
}

func (x *examination) say(name string, s Status, key string, pairs ...string) {
	c := Check{Name: name, Status: s, Key: key}
	for i := 0; i+1 < len(pairs); i += 2 {
		if c.Args == nil {
			c.Args = map[string]string{}
		}
		c.Args[pairs[i]] = pairs[i+1]
	}
	x.tell(c)
}

func (x *examination) tell(c Check) {
	x.report.Checks = append(x.report.Checks, c)
	x.progress(c)
}

// failed explains a failure by the rule book.
func (x *examination) failed(name string, d Diagnosis) bool {
	x.last = d
	x.tell(Check{Name: name, Status: Fail, Key: d.TextKey, Args: d.Args})
	return false
}

func (x *examination) explain(step model.Step, err error) Diagnosis {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return ExplainOwn(e)
	}
	in := Input{Provider: x.acct.Provider, Step: step, Err: err, Host: x.acct.Host, Port: x.acct.Port, TLS: x.acct.TLS}
	if e, ok := errors.AsType[*smtpx.Error](err); ok {
		in.Step = StepOf(e.Phase)
	}
	return Explain(in)
}

func (x *examination) name(ctx context.Context) bool {
	host := x.acct.Host
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	lctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	addrs, err := x.d.LookupHost(lctx, host)
	if err != nil {
		return x.failed("dns", x.explain(model.StepConnect, err))
	}
	x.say("dns", Pass, "doctor.dns.ok", "host", host, "addrs", strings.Join(addrs[:min(len(addrs), 3)], ", "))
	return true
}

// checkOf names what a phase of smtpx is called here.
func checkOf(p smtpx.Phase) string {
	switch p {
	case smtpx.PhaseConnect, smtpx.PhaseGreeting:
		return "connect"
	case smtpx.PhaseTLS:
		return "tls"
	case smtpx.PhaseEHLO:
		return "ehlo"
	case smtpx.PhaseAuth:
		return "login"
	}
	return "from"
}

// line looks at everything before the login, over a connection of its own: a refused login closes the line, and
// what came before it would not be seen.
func (x *examination) line(ctx context.Context, cfg *smtpx.Config) bool {
	plain := *cfg
	plain.Auth = nil
	s, err := x.dial(ctx, &plain)
	if err != nil {
		return x.failed(phaseName(err), x.explain(model.StepConnect, err))
	}
	defer func() { _ = s.Close() }()
	x.say("connect", Pass, "doctor.connect.ok", "host", x.acct.Host, "port", strconv.Itoa(x.acct.Port))
	x.secured(s.TLS())
	x.offers(s)
	return true
}

func phaseName(err error) string {
	if _, ok := errors.AsType[*model.Error](err); ok {
		return "login" // ours: what it logs in with
	}
	if e, ok := errors.AsType[*smtpx.Error](err); ok {
		return checkOf(e.Phase)
	}
	return "connect"
}

func (x *examination) dial(ctx context.Context, cfg *smtpx.Config) (*smtpx.Session, error) {
	dctx, cancel := context.WithTimeout(ctx, doctorTimeout)
	defer cancel()
	return x.d.Dial(dctx, cfg)
}

// soon is how long before its end a certificate is worth a warning.
const soon = 14 * 24 * time.Hour

func (x *examination) secured(cs *tls.ConnectionState) {
	if cs == nil {
		x.say("tls", Warn, "doctor.tls.none", "host", x.acct.Host)
		return
	}
	issuer, until := "", ""
	status, key := Pass, "doctor.tls.ok"
	if len(cs.PeerCertificates) > 0 {
		c := cs.PeerCertificates[0]
		issuer, until = c.Issuer.CommonName, c.NotAfter.Local().Format("2006-01-02")
		if issuer == "" {
			issuer = c.Issuer.String()
		}
		if c.NotAfter.Sub(x.d.Now()) < soon {
			status, key = Warn, "doctor.tls.soon"
		}
	}
	if x.acct.LegacyTLS {
		status, key = Warn, "doctor.tls.legacy"
	}
	x.say("tls", status, key, "version", tls.VersionName(cs.Version), "issuer", issuer, "until", until)
}

func (x *examination) offers(s *smtpx.Session) {
	var names []string
	for _, n := range []string{"PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS", "LIMITS"} {
		if _, ok := s.Extension(n); ok {
			names = append(names, n)
		}
	}
	size := "-"
	if v, ok := s.Extension("SIZE"); ok {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil && n > 0 {
			size = strconv.FormatInt(n>>20, 10) + " MB"
		}
	}
	x.say("ehlo", Pass, "doctor.ehlo.ok", "extensions", orDash(names), "size", size)
	mechanisms, _ := s.Extension("AUTH")
	x.say("auth", Pass, "doctor.auth.ok", "mechanisms", orDash(strings.Fields(mechanisms)))
}

func orDash(names []string) string {
	if len(names) == 0 {
		return "-"
	}
	return strings.Join(names, ", ")
}

// login logs in once, and asks whether the account's own address may send. No letter is begun.
func (x *examination) login(ctx context.Context, cfg *smtpx.Config) bool {
	from, err := smtpx.ParseAddress(x.acct.From)
	if err != nil {
		return x.failed("from", Explain(Input{Step: model.StepMail, Err: err}))
	}
	try := *cfg
	try.TrySender = from
	s, err := x.dial(ctx, &try)
	refused := err != nil && phaseName(err) == "from"
	if err != nil && !refused {
		return x.failed(phaseName(err), x.explain(model.StepConnect, err))
	}
	if cfg.Auth == nil {
		x.say("login", Pass, "doctor.login.none")
	} else {
		x.say("login", Pass, "doctor.login.ok", "user", cfg.Auth.User)
	}
	if refused {
		return x.failed("from", x.explain(model.StepMail, err))
	}
	x.say("from", Pass, "doctor.from.ok", "from", x.acct.From)
	_ = s.Close()
	return true
}

// better proposes the settings of the provider, or the port that fits the TLS mode.
func (x *examination) better() *model.Account {
	b := *x.acct
	p, known := provider.ByKey(b.Provider)
	if !known || len(p.Domains) == 0 {
		p, known = provider.ForAddress(b.From)
	}
	switch {
	case known && p.Host != "" && (p.Host != b.Host || p.Port != b.Port || p.TLS != b.TLS) && x.aboutLine():
		b.Provider, b.Host, b.Port, b.TLS = p.Key, p.Host, p.Port, p.TLS
	case known && x.last.Scope == model.ScopeConfig && strings.Contains(b.User, "@") && !strings.EqualFold(b.From, b.User):
		b.From = b.User
	case slices.Contains([]string{"diag.net.plainport", "diag.net.tlsport"}, x.last.TextKey):
		// The port stays what the user was told; it is the way of speaking that does not fit it.
		if b.TLS == model.TLSImplicit {
			b.TLS = model.TLSStart
		} else {
			b.TLS = model.TLSImplicit
		}
	default:
		return nil
	}
	return &b
}

// aboutLine says whether what failed is the line and not the login.
func (x *examination) aboutLine() bool {
	return x.last.Scope == model.ScopeConnection || x.last.Scope == model.ScopeConfig
}
