package app

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"hongyan/app/campaign"
	"hongyan/app/compose"
	"hongyan/app/diagnose"
	"hongyan/app/model"
	"hongyan/smtpx"
)

// Letters lists the drafts, the last changed first.
func (a *App) Letters(ctx context.Context) ([]model.Letter, error) { return a.store.Letters(ctx) }

// SaveLetter stores a draft, new (ID 0) or changed. A draft may be anything: it is judged by Check.
func (a *App) SaveLetter(ctx context.Context, l *model.Letter) error {
	l.UpdatedAt = a.now()
	return a.store.SaveLetter(ctx, l)
}

// RemoveLetter forgets a draft; campaigns keep their own copies.
func (a *App) RemoveLetter(ctx context.Context, id int64) error { return a.store.RemoveLetter(ctx, id) }

// WriteLetter writes a letter to a file as LoadLetter reads it.
func (a *App) WriteLetter(path string, l model.Letter) error {
	return writeFile(path, func(f *os.File) error {
		_, err := f.Write(compose.FormatLetter(l))
		return err
	})
}

// LoadLetter reads a letter file: Markdown, HTML or text, with a front matter or without.
func (a *App) LoadLetter(path string) (model.Letter, error) { return compose.ParseFile(path) }

// previewFrom stands in the preview for an account that is not chosen yet. The name is reserved (RFC 2606).
const previewFrom = "you@example.com"

// previewTo is whom a letter is shown for where no recipient is chosen.
var previewTo = model.Contact{Email: "friend@example.com", Address: "friend@example.com"}

// envelope is what a message from an account says of its way.
func envelope(acct *model.Account) compose.Envelope {
	return compose.Envelope{From: acct.From, FromName: acct.FromName, UnsubscribeMailto: unsubscribeAddress(acct)}
}

// unsubscribeAddress is where a mail program's "unsubscribe" writes to: the sender's own mailbox, with a subject
// that tells such a letter from others.
func unsubscribeAddress(acct *model.Account) string {
	return "mailto:" + acct.From + "?subject=unsubscribe"
}

func recipientOf(c *model.Contact) compose.Recipient {
	return compose.Recipient{Email: c.Address, Name: c.Name, Fields: c.Fields}
}

// accountAndContact finds both; an id of 0 gives what the preview uses instead.
func (a *App) accountAndContact(ctx context.Context, accountID, contactID int64) (*model.Account, *model.Contact, error) {
	acct, c := &model.Account{From: previewFrom}, previewTo
	if accountID != 0 {
		var err error
		if acct, err = a.store.Account(ctx, accountID); err != nil {
			return nil, nil, err
		}
	}
	if contactID != 0 {
		found, err := a.store.Contacts(ctx, []int64{contactID})
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 1 {
			c = found[0]
		}
	}
	return acct, &c, nil
}

// Preview shows a letter as a contact will get it from an account, made by the code that sends.
func (a *App) Preview(ctx context.Context, l model.Letter, accountID, contactID int64) (model.Rendered, error) {
	acct, c, err := a.accountAndContact(ctx, accountID, contactID)
	if err != nil {
		return model.Rendered{}, err
	}
	compiled, err := compose.Compile(l, compose.Options{})
	if err != nil {
		return model.Rendered{}, err
	}
	env := envelope(acct)
	env.Date = a.now()
	return compiled.Render(recipientOf(c), env)
}

// TestResult is how a test letter fared: what the server said, and what that means.
type TestResult struct {
	Accepted  bool
	Reply     string
	Diagnosis diagnose.Diagnosis
}

// testTimeout bounds a test letter: a person waits for it.
const testTimeout = 2 * time.Minute

// TestLetter sends a letter, filled for a contact, to any address. An error is ours (a password that is not
// there, a letter that cannot be made); what the server or the network refuses is in the result.
func (a *App) TestLetter(ctx context.Context, l model.Letter, accountID, contactID int64, to string) (TestResult, error) {
	acct, c, err := a.accountAndContact(ctx, accountID, contactID)
	if err != nil {
		return TestResult{}, err
	}
	if accountID == 0 {
		return TestResult{}, model.E(model.ENoAccount, nil)
	}
	compiled, err := compose.Compile(l, compose.Options{})
	if err != nil {
		return TestResult{}, err
	}
	env := envelope(acct)
	env.Date, env.To = a.now(), strings.TrimSpace(to)
	env.MessageID = compose.MessageID(newSeed(), env.To, domainOf(acct.From))
	msg, err := compiled.Message(recipientOf(c), env)
	if err != nil {
		return TestResult{}, err
	}
	tx, err := transaction(acct, env.To, msg)
	if err != nil {
		return TestResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, testTimeout)
	defer cancel()
	sess, err := a.dial(ctx, acct, 0, a.log.Listen(acct.ID))
	if err != nil {
		if model.CodeOf(err) != model.EInternal {
			return TestResult{}, err
		}
		d := diagnose.ExplainError(acct.Host, acct.Port, acct.TLS, "", err)
		return TestResult{Reply: err.Error(), Diagnosis: d}, nil
	}
	defer func() { _ = sess.Close() }()
	o := sess.Send(ctx, tx).Outcomes[0]
	if errors.Is(o.Err, smtpx.ErrChunking) {
		o = sess.Send(ctx, tx).Outcomes[0] // by DATA
	}
	r := TestResult{Accepted: o.Status == smtpx.Accepted}
	if o.Reply != nil {
		r.Reply = o.Reply.String()
	}
	if !r.Accepted {
		r.Diagnosis = diagnose.Explain(diagnose.FromOutcome(acct.Provider, o))
	}
	return r, nil
}

func transaction(acct *model.Account, to string, msg *compose.Message) (*smtpx.Transaction, error) {
	from, err := smtpx.ParseAddress(acct.From)
	if err != nil {
		return nil, model.E(model.EInvalid, err, "field", "from", "value", acct.From)
	}
	rcpt, err := smtpx.ParseAddress(to)
	if err != nil {
		return nil, model.E(model.EInvalid, err, "field", "address", "value", to)
	}
	return &smtpx.Transaction{From: from, To: []smtpx.Address{rcpt}, Size: msg.Size(),
		Body: func(w io.Writer) error { _, err := msg.WriteTo(w); return err }}, nil
}

func domainOf(addr string) string { return addr[strings.LastIndexByte(addr, '@')+1:] }

// composer makes the letters of a campaign. The Date is the campaign's start, so that a second attempt is the
// same message to the octet.
func composer(c *compose.Compiled, seed string, date func() time.Time) func(model.Delivery, model.Account) (campaign.Mail, error) {
	return func(d model.Delivery, acct model.Account) (campaign.Mail, error) {
		env := envelope(&acct)
		env.Date = date()
		env.MessageID = compose.MessageID(seed, d.Email, domainOf(acct.From))
		msg, err := c.Message(compose.Recipient{Email: d.Address, Name: d.Name, Fields: d.Fields}, env)
		if err != nil {
			return campaign.Mail{}, err
		}
		return campaign.Mail{From: acct.From, To: d.Address, Size: msg.Size(), Body: func(w io.Writer) error {
			defer msg.Release()
			_, err := msg.WriteTo(w)
			return err
		}}, nil
	}
}
