package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"
	"sync"

	"hongyan/app/model"
)

// emailsAtOnce is how many addresses are looked up by one query.
const emailsAtOnce = 5_000

// sent is the set of those for whom a letter of a campaign (0: of any) was accepted; with maybe, who may have got one
// too: of them nobody should say that they did not. Somebody who was removed and is there again is known by the address.
func (s *Store) sent(ctx context.Context, campaign int64, maybe bool, highest int64) (idSet, error) {
	which := []int64{campaign}
	if campaign == 0 {
		all, err := s.Campaigns(ctx)
		if err != nil {
			return nil, err
		}
		which = which[:0]
		for _, c := range all {
			which = append(which, c.ID)
		}
	} else if _, err := nameOf(lastCommit{ctx, s.deliveries}, "campaign", `SELECT name FROM campaigns WHERE id = ?`, campaign); err != nil {
		return nil, coded(err, s.deliveries.path)
	}
	states := []model.State{model.Accepted}
	if maybe {
		states = append(states, model.Unknown)
	}
	set := newIDSet(highest)
	for _, id := range which {
		for _, state := range states {
			one, err := s.settled(ctx, id, state, highest, `contact_id`, onlyID)
			if err != nil {
				return nil, err
			}
			set.or(one)
		}
	}
	if err := s.followAddress(ctx, set, which, states, highest); err != nil {
		return nil, err
	}
	return set, s.followMerged(ctx, set)
}

// followAddress puts those into a set who have the address of somebody of it who is gone: a list that was removed and
// imported again is of the same people, with other ids.
func (s *Store) followAddress(ctx context.Context, set idSet, campaigns []int64, states []model.State, highest int64) error {
	gone, err := s.gone(ctx, set)
	if err != nil || gone.count() == 0 {
		return err
	}
	var mu sync.Mutex // several readers find them
	var emails []string
	found := newIDSet(highest)
	flush := func() error {
		err := s.app.each(ctx, func(rows *sql.Rows) error {
			id, err := onlyID(rows)
			found.add(id)
			return err
		}, `SELECT c.id FROM json_each(?) j CROSS JOIN contacts c ON c.email = j.value`, toJSON(emails))
		emails = emails[:0]
		return err
	}
	for _, id := range campaigns {
		for _, state := range states {
			_, err := s.settled(ctx, id, state, highest, `contact_id, email`, func(rows *sql.Rows) (int64, error) {
				var id int64
				var email sql.RawBytes
				if err := rows.Scan(&id, &email); err != nil || !gone.has(id) {
					return 0, err
				}
				mu.Lock()
				defer mu.Unlock()
				if emails = append(emails, string(email)); len(emails) < emailsAtOnce {
					return 0, nil
				}
				return 0, flush()
			})
			if err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	set.or(found)
	return nil
}

// gone are those of a set who are not there. Whole blocks of ids are counted first: few are ever removed, and to count
// costs a tenth of reading.
func (s *Store) gone(ctx context.Context, set idSet) (idSet, error) {
	const block = 4096 // ids
	gone := slices.Clone(set)
	for at := 0; at < len(gone); at += block / 64 {
		part := gone[at:min(at+block/64, len(gone))]
		if part.count() == 0 {
			continue
		}
		from := int64(at) * 64
		var n int
		err := s.app.row(ctx, `SELECT count(*) FROM contacts WHERE id BETWEEN ? AND ?`, []any{from, from + block - 1}, &n)
		if err != nil {
			return nil, coded(err, s.app.path)
		}
		if n == block {
			clear(part)
			continue
		}
		err = s.app.each(ctx, func(rows *sql.Rows) error {
			id, err := onlyID(rows)
			gone.remove(id)
			return err
		}, `SELECT id FROM contacts WHERE id BETWEEN ? AND ?`, from, from+block-1)
		if err != nil {
			return nil, err
		}
	}
	return gone, nil
}

// settled gathers from the deliveries of a campaign that are in a state which is an end. Their ids lie close together,
// so that to go through the table is half the work of looking each of them up from the index.
func (s *Store) settled(ctx context.Context, campaign int64, state model.State, highest int64, columns string, f func(*sql.Rows) (int64, error)) (idSet, error) {
	const those = ` INDEXED BY deliveries_due WHERE campaign_id = ?1 AND state = ?2 AND next_at = 0 ORDER BY id`
	var first, last int64
	err := s.deliveries.row(ctx, `SELECT coalesce((SELECT id FROM deliveries`+those+` LIMIT 1), 0), coalesce((SELECT id FROM deliveries`+those+` DESC LIMIT 1), 0)`,
		[]any{campaign, string(state)}, &first, &last)
	if err != nil || last == 0 {
		return newIDSet(highest), coded(err, s.deliveries.path)
	}
	before := first - 1
	return s.deliveries.gather(ctx, rangesOf(last-before), highest, f, `SELECT `+columns+` FROM deliveries NOT INDEXED
		WHERE campaign_id = ?1 AND state = ?2 AND id BETWEEN ?4 + ?3 AND ?5 + ?3`, campaign, string(state), before)
}

// bounced is the set of those to whom the latest letter that ended was refused for good because of the address, and
// of those who are suppressed because one bounced.
func (s *Store) bounced(ctx context.Context, highest int64) (idSet, error) {
	set, err := s.suppressed(ctx, "bounce", nil, highest)
	if err != nil {
		return nil, err
	}
	campaigns, err := s.Campaigns(ctx)
	if err != nil {
		return nil, err
	}
	refused := make(map[int64]int64) // when the latest such letter was
	for _, c := range campaigns {
		err := s.deliveries.each(ctx, func(rows *sql.Rows) error {
			var id, at int64
			err := rows.Scan(&id, &at)
			refused[id] = max(refused[id], at)
			return err
		}, `SELECT contact_id, updated FROM deliveries INDEXED BY deliveries_due WHERE campaign_id = ? AND state = ? AND next_at = 0 AND scope = ?`,
			c.ID, string(model.Rejected), string(model.ScopeHard))
		if err != nil {
			return nil, err
		}
	}
	if len(refused) == 0 {
		return set, nil
	}
	first := slices.Min(slices.Collect(maps.Values(refused)))
	dead := newIDSet(highest)
	for id := range refused {
		dead.add(id)
	}
	for _, c := range campaigns {
		if !c.FinishedAt.IsZero() && ms(c.FinishedAt) < first {
			continue // nothing in it is later
		}
		for _, state := range []model.State{model.Accepted, model.Unknown, model.Rejected} {
			later, err := s.settled(ctx, c.ID, state, highest, `contact_id, updated`, func(rows *sql.Rows) (int64, error) {
				var id, at int64
				err := rows.Scan(&id, &at)
				if !dead.has(id) || at <= refused[id] {
					id = 0
				}
				return id, err
			})
			if err != nil {
				return nil, err
			}
			for _, id := range later.ids() {
				dead.remove(id)
			}
		}
	}
	set.or(dead)
	return set, nil
}

// suppressed is the set of those who are never mailed, for a reason ("": any), by their address, their domain or one
// above it. Of those who are not among some (nil: all) the set says nothing.
func (s *Store) suppressed(ctx context.Context, reason string, among idSet, highest int64) (idSet, error) {
	var last int64
	domains := make(map[string]bool)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var key string
		err := rows.Scan(&key)
		domains[key] = true
		return err
	}, `SELECT key FROM suppressions WHERE key >= '@' AND key < 'A' AND ?1 IN ('', reason)`, reason)
	if err == nil {
		err = coded(s.app.row(ctx, `SELECT coalesce(max(id), 0) FROM suppressions`, nil, &last), s.app.path)
	}
	if err != nil {
		return nil, err
	}
	set, err := s.app.gather(ctx, rangesOf(last), highest, onlyID, `SELECT c.id FROM suppressions s CROSS JOIN contacts c ON c.email = s.key
		WHERE ?1 IN ('', s.reason) AND s.id BETWEEN ?2 AND ?3`, reason)
	if err != nil || len(domains) == 0 {
		return set, err
	}
	could, args := couldEnd(slices.Collect(maps.Keys(domains)))
	byDomain, err := s.app.gather(ctx, among.ranges(highest), highest, func(rows *sql.Rows) (int64, error) {
		var id int64
		var email sql.RawBytes
		if err := rows.Scan(&id, &email); err != nil || !among.matters(id) {
			return 0, err
		}
		if !inDomain(domains, string(email)) {
			id = 0
		}
		return id, nil
	}, `SELECT id, email FROM contacts WHERE `+could+` AND id BETWEEN ? AND ?`, args...)
	if err == nil {
		set.or(byDomain)
	}
	return set, err
}

// couldEnd is a condition on the addresses that could be of some domains, written as "@example.com". SQLite leaves the
// others out in a fraction of the time of handing them over, unless it has many to compare with.
func couldEnd(domains []string) (q string, args []any) {
	const many = 4
	if len(domains) > many {
		return "true", nil
	}
	for _, d := range domains {
		args = append(args, "%"+escapeLike(d[1:]))
	}
	return "(" + strings.Repeat(`email LIKE ? ESCAPE '\' OR `, len(args)-1) + `email LIKE ? ESCAPE '\')`, args
}

// inDomain tells whether the domain of an address, or one above it, is among some that are written as "@example.com".
func inDomain(domains map[string]bool, email string) bool {
	for at := strings.LastIndexByte(email, '@'); at >= 0; {
		if domains["@"+email[at+1:]] {
			return true
		}
		dot := strings.IndexByte(email[at+1:], '.')
		if dot < 0 {
			return false
		}
		at += 1 + dot
	}
	return false
}

// followMerged puts those into a set into whom somebody of it was merged: the letters of both went to one person.
func (s *Store) followMerged(ctx context.Context, set idSet) error {
	into := make(map[int64]int64)
	err := s.app.each(ctx, func(rows *sql.Rows) error {
		var gone, kept int64
		err := rows.Scan(&gone, &kept)
		into[gone] = kept
		return err
	}, `SELECT contact_id, into_id FROM contact_merged`)
	for gone := range into {
		if set.has(gone) {
			for id, yes := into[gone]; yes; id, yes = into[id] {
				set.add(id)
			}
		}
	}
	return err
}
