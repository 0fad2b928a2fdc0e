package store

import "hongyan/app/model"

// writeMarked stores the results of letters that had left ahead (ahead.go): the attempt and its result at once, many in
// a statement. Most results differ in little, so only that is bound row by row.
func writeMarked(t *tx, results []*result) error {
	groups := make(map[likeness][]*result, 4)
	var order []likeness
	for _, r := range results {
		k := likenessOf(r)
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], r)
	}
	for _, k := range order {
		for rs := groups[k]; len(rs) > 0; {
			n := bulkOf(len(rs))
			if err := writeBulk(t, k, rs[:n]); err != nil {
				return err
			}
			rs = rs[n:]
		}
	}
	return nil
}

// likeness is what the results of a statement have in common.
type likeness struct {
	state, reason, step, scope, enhanced string
	code, n                              int
	account, by, next                    int64
}

func likenessOf(r *result) likeness {
	o := &r.o
	k := likeness{state: string(o.State), reason: o.Reason, step: string(o.Step), scope: string(o.Scope), enhanced: o.Enhanced, code: o.Code,
		n: r.lease.tries + 1, account: o.AccountID, by: r.lease.account}
	if o.State == model.Deferred {
		k.next = ms(o.NextAt)
	}
	return k
}

// bulkRows is how many results a statement can have.
var bulkRows = [...]int{64, 16, 4, 1}

// bulkOf is how many of n results the next statement has.
func bulkOf(n int) int {
	for _, rows := range bulkRows {
		if rows <= n {
			return rows
		}
	}
	return 0
}

func writeBulk(t *tx, k likeness, results []*result) error {
	stmts := bulkStatements[len(results)][min(len(k.reason), 1)]
	more := 1
	if k.state == string(model.Queued) {
		more = 0 // nothing left us: see writeResult
	}
	args := make([]any, 0, 4*len(results)+12)
	for _, r := range results {
		args = append(args, r.o.DeliveryID, r.o.Reply, ms(r.o.At))
	}
	if k.reason != "" {
		args = append(args, k.reason)
	}
	args = append(args, k.state, k.account, k.step, k.code, k.enhanced, k.scope, k.next, more, k.n)
	if _, err := t.exec(stmts[0], args...); err != nil {
		return err
	}
	args = args[:0]
	for _, r := range results {
		args = append(args, r.o.DeliveryID, r.o.Reply, ms(r.o.At), ms(r.lease.at))
	}
	args = append(args, k.n, k.by, k.state, k.step, k.code, k.enhanced, k.scope)
	_, err := t.exec(stmts[1], args...)
	return err
}

// bulkStatements are the two statements of writeBulk, by the number of results, without a reason and with one.
var bulkStatements = func() map[int][2][2]string {
	all := make(map[int][2][2]string, len(bulkRows))
	for _, n := range bulkRows {
		insert := `WITH v(id, reply, at, started) AS (VALUES ` + rowsOf("(?,?,?,?)", n) + `)
			INSERT INTO attempts (delivery_id, n, account_id, started, ended, intended, state, step, code, enhanced, reply, scope)
			SELECT id, ?, ?, started, at, 1, ?, ?, ?, ?, reply, ? FROM v WHERE true ON CONFLICT DO NOTHING`
		update := func(reason string) string {
			return `WITH v(id, reply, at) AS (VALUES ` + rowsOf("(?,?,?)", n) + `)
			UPDATE deliveries SET reply = v.reply, updated = v.at, ` + reason + `state = ?, account_id = ?, step = ?, code = ?, enhanced = ?, scope = ?,
				next_at = ?, attempts = attempts + ?, tries = ?
			FROM v WHERE deliveries.id = v.id AND deliveries.state IN ('queued', 'deferred')`
		}
		all[n] = [2][2]string{{update(""), insert}, {update(setReason), insert}}
	}
	return all
}()

// setReason is set only where there is one: who is queued or deferred has none, and an index with the reason in its
// condition is written anew, at a place of its own for each address, whenever it is named.
const setReason = `reason = ?, `
