package model

import "context"

// The interfaces here are named in results of the store's methods. They live in this package so that the
// store can name them too without knowing the use cases.

// Pending is a write on its way to the disk.
type Pending interface {
	// Wait blocks until the write is durable or has failed.
	Wait() error
}

// Importer takes rows in chunks; each chunk is one transaction, all or nothing.
type Importer interface {
	// Add stores rows, merging those that are known, and counts them in the report.
	Add(ctx context.Context, rows []Row) error
	// Finish closes the import. The report's Invalid, Rejects, Charset and Seconds are the caller's.
	Finish(ctx context.Context) (ImportReport, error)
	// Abort undoes every chunk.
	Abort(ctx context.Context) error
}
