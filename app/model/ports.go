package model

import "context"

// The interfaces here are named in results of the store's methods. They live in this package so that the
// store can name them too without knowing the use cases.

// Pending is a write on its way to the disk.
type Pending interface {
	// Wait blocks until the write is durable or has failed.
	Wait() error
	// Ready reports whether Wait would return at once.
	Ready() bool
}

// Importer takes rows and stores them in chunks; each chunk is one transaction, all or nothing. A chunk is written
// while the next one is gathered, so what is wrong with one may be told by a later call. It is used by one goroutine.
type Importer interface {
	// Add takes rows, merges those that are known and counts them in the report. The slice stays the caller's.
	Add(ctx context.Context, rows []Row) error
	// Flush returns when all that Add took is durable.
	Flush(ctx context.Context) error
	// Finish closes the import. The report's Invalid, Rejects, Charset and Seconds are the caller's.
	Finish(ctx context.Context) (ImportReport, error)
	// Abort undoes every chunk.
	Abort(ctx context.Context) error
	// Leave lets the import stay open with the chunks that are stored; what is gathered for the next one is forgotten.
	Leave() error
}
