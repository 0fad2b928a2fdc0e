package app

import (
	"context"

	"hongyan/app/model"
)

// Changes lists what was done to people by hand and can be taken back, the newest first.
func (a *App) Changes(ctx context.Context) ([]model.Change, error) { return a.store.Changes(ctx) }

// UndoChange takes back the latest change, and says which that was. What an import brought since stays. ENotFound
// when there is nothing to take back.
func (a *App) UndoChange(ctx context.Context) (model.Change, error) { return a.store.UndoChange(ctx) }
