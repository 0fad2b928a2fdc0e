package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hongyan/app/model"
	"hongyan/smtpx"
)

// session keeps to what smtpx promises of Run, one letter at a time.
type session struct {
	w  *world
	a  model.Account
	id int64 // counts over restarts
}

func (s *session) Close() error {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	s.w.count(s.a.ID, -1)
	return nil
}

func (s *session) Run(ctx context.Context, src smtpx.Source) error {
	for {
		tx, err := src.Next(ctx, true)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if tx == nil {
			return errors.New("Next gave nothing although it was to wait")
		}
		o := s.send(ctx, tx, src)
		tx.Done(smtpx.Result{Outcomes: []smtpx.Outcome{o}})
		if o.Reply == nil && o.Status != smtpx.Accepted {
			return o.Err
		}
	}
}

func (s *session) send(ctx context.Context, tx *smtpx.Transaction, src smtpx.Source) smtpx.Outcome {
	w, to := s.w, tx.To[0].String()
	w.mu.Lock()
	w.n++
	n := w.n
	w.mu.Unlock()
	var f fate
	if w.judge != nil {
		f = w.judge(s.a, to, n)
	}
	tx.Begin()
	w.mu.Lock()
	w.mails = append(w.mails, mail{s.a.ID, s.id, w.truth(), w.era})
	w.mu.Unlock()
	if p, ok := src.(smtpx.Preparer); ok {
		p.Prepare(ctx)
	}
	for _, p := range []smtpx.Phase{smtpx.PhaseMail, smtpx.PhaseRcpt, smtpx.PhaseData} {
		if w.before != nil {
			w.before(s.a, to, p)
		}
		if err := pass(ctx, w.rtt/2); err != nil {
			return lost(smtpx.NotSent, p, err)
		}
		if o, over := f.meet(ctx, p); over {
			return o
		}
	}
	if err := tx.Body(io.Discard); err != nil {
		return lost(smtpx.NotSent, smtpx.PhaseBody, err)
	}
	if w.before != nil {
		w.before(s.a, to, smtpx.PhaseBody)
	}
	if o, over := f.meet(ctx, smtpx.PhaseBody); over {
		return o
	}
	if err := tx.BeforeDot(); err != nil {
		return lost(smtpx.NotSent, smtpx.PhaseBody, errors.Join(smtpx.ErrAborted, err))
	}
	if w.before != nil {
		w.before(s.a, to, smtpx.PhaseDot)
	}
	if f.code == 0 || f.at != smtpx.PhaseDot {
		w.mu.Lock()
		w.took = append(w.took, sent{to, s.a.ID, s.id, w.clk.Now()})
		w.mu.Unlock()
	}
	if err := pass(ctx, w.rtt+f.wait); err != nil {
		return lost(smtpx.Unknown, smtpx.PhaseDot, err)
	}
	f.wait = 0
	if o, over := f.meet(ctx, smtpx.PhaseDot); over {
		return o
	}
	return smtpx.Outcome{Status: smtpx.Accepted, Phase: smtpx.PhaseDot, Reply: &smtpx.Reply{Code: 250, Enhanced: "2.0.0", Lines: []string{"OK"}}}
}

// meet is what happens at a phase.
func (f fate) meet(ctx context.Context, p smtpx.Phase) (smtpx.Outcome, bool) {
	if f.at != p || f.code == 0 && !f.cut {
		return smtpx.Outcome{}, false
	}
	st := smtpx.NotSent
	if err := pass(ctx, f.wait); err != nil {
		return lost(st, p, err), true
	}
	if f.cut {
		if p == smtpx.PhaseDot {
			st = smtpx.Unknown
		}
		err := f.err
		if err == nil {
			err = io.EOF
		}
		return lost(st, p, err), true
	}
	st = smtpx.Permanent
	if f.code/100 == 4 {
		st = smtpx.Temporary
	}
	r := &smtpx.Reply{Code: f.code, Enhanced: f.enh, Lines: []string{f.text}}
	return smtpx.Outcome{Status: st, Phase: p, Reply: r, Err: &smtpx.Error{Phase: p, Reply: r}}, true
}

func lost(st smtpx.Status, p smtpx.Phase, err error) smtpx.Outcome {
	return smtpx.Outcome{Status: st, Phase: p, Err: &smtpx.Error{Phase: p, Err: fmt.Errorf("line: %w", err)}}
}
