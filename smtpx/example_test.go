package smtpx_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"hongyan/smtpx"
	"hongyan/smtpx/smtptest"
)

// One letter over one connection, to a server of our own that delivers nothing.
func ExampleDial() {
	srv, err := smtptest.Start(smtptest.Options{Password: "not-a-real-code"})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	s, err := smtpx.Dial(ctx, &smtpx.Config{
		Host: "127.0.0.1", Port: srv.Port(), TLS: smtpx.TLSImplicit, RootCAs: srv.Certificate().Pool(),
		Auth: &smtpx.Auth{User: "me@example.com", Secret: "not-a-real-code"},
	})
	if err != nil {
		log.Fatal(err) // says in which phase, and what the server answered
	}
	defer s.Close()

	from, _ := smtpx.ParseAddress("me@example.com")
	to, _ := smtpx.ParseAddress("you@example.org")
	res := s.Send(ctx, &smtpx.Transaction{
		From: from, To: []smtpx.Address{to},
		Body: func(w io.Writer) error {
			_, err := io.WriteString(w, "From: me@example.com\r\nTo: you@example.org\r\nSubject: Hello\r\n\r\nHow are you?\r\n")
			return err
		},
	})
	fmt.Println(res.Outcomes[0].Status, srv.Count())
	// Output: accepted 1
}

// A source hands out letters one after the other; the next envelope travels behind the body before it.
func ExampleSession_Run() {
	srv, err := smtptest.Start(smtptest.Options{Mood: smtptest.RefuseTenth})
	if err != nil {
		log.Fatal(err)
	}
	defer srv.Close()

	ctx := context.Background()
	s, err := smtpx.Dial(ctx, &smtpx.Config{Host: "127.0.0.1", Port: srv.Port(), RootCAs: srv.Certificate().Pool(), Overlap: true})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	count := map[smtpx.Status]int{}
	if err := s.Run(ctx, &newsletter{count: count, people: 100}); err != nil {
		log.Fatal(err)
	}
	fmt.Println("accepted:", count[smtpx.Accepted], "refused:", count[smtpx.Permanent])
	// Output: accepted: 90 refused: 10
}

type newsletter struct {
	people, n int
	count     map[smtpx.Status]int
}

func (n *newsletter) Next(context.Context, bool) (*smtpx.Transaction, error) {
	if n.n == n.people {
		return nil, io.EOF
	}
	n.n++
	from, err1 := smtpx.ParseAddress("me@example.com")
	to, err2 := smtpx.ParseAddress(fmt.Sprintf("reader%d@example.org", n.n))
	return &smtpx.Transaction{
		ID: int64(n.n), From: from, To: []smtpx.Address{to},
		Body: func(w io.Writer) error {
			_, err := io.WriteString(w, "Subject: News\r\n\r\nNothing new.\r\n")
			return err
		},
		Done: func(r smtpx.Result) { n.count[r.Outcomes[0].Status]++ },
	}, errors.Join(err1, err2)
}
