package smtpx

import (
	"context"
	"errors"
)

// Address is an envelope address: only ParseAddress makes one.
type Address struct{ local, domain string }

// ParseAddress parses an address strictly.
func ParseAddress(s string) (Address, error) { return Address{}, errors.New("smtpx: stub") }

// String is the address as it goes into the envelope.
func (a Address) String() string { return a.local + "@" + a.domain }

// Session is one connection that has greeted, secured itself and logged in.
type Session struct{}

// Dial connects, secures and logs in.
func Dial(ctx context.Context, cfg *Config) (*Session, error) { return nil, errors.New("smtpx: stub") }

// Run sends what src hands out until io.EOF or an error of the session.
func (s *Session) Run(ctx context.Context, src Source) error { return errors.New("smtpx: stub") }

// Send sends one letter and waits for its result.
func (s *Session) Send(ctx context.Context, tx *Transaction) Result { return Result{} }

// Extension says whether the server offers an extension, and its parameter.
func (s *Session) Extension(name string) (string, bool) { return "", false }

// Close says QUIT, waits a short while, and closes.
func (s *Session) Close() error { return nil }

// Error is how a session fails.
type Error struct {
	Phase Phase
	Reply *Reply
	Err   error
}

// Error is the technical line for the log.
func (e *Error) Error() string { return "smtpx: stub" }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }
