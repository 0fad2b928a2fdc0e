package ui

import (
	"context"
	"time"

	"hongyan/app/model"
)

// maxEditor is the most text, in bytes, that the editor takes: its cost grows with the square of the lines.
// Longer letters are edited in the user's own editor.
const maxEditor = 64 << 10

// letterVM is the letter being written: its draft is kept in the store, and its preview is made by the code that
// sends. All methods are called on the window's goroutine.
type letterVM struct {
	svc     LetterService
	tasks   *Tasks
	delay   time.Duration // from the last key to preview and draft
	changed func()        // the letter was replaced
	shown   func()        // the preview or its error is new
	failed  func(error)

	letter    model.Letter
	loaded    bool
	edits     int // counts changes, so that late results are known
	saving    bool
	accountID int64
	contactID int64
	preview   model.Rendered
	err       error // why there is no preview
	pause     pause
	stop      context.CancelFunc
}

func newLetterVM(svc LetterService, tasks *Tasks) *letterVM {
	return &letterVM{svc: svc, tasks: tasks, delay: 300 * time.Millisecond,
		changed: func() {}, shown: func() {}, failed: func(error) {},
		letter: model.Letter{Format: model.FormatMarkdown}}
}

// load opens the draft that was edited last.
func (vm *letterVM) load() {
	background(vm.tasks, vm.svc.Letters, func(ls []model.Letter, err error) {
		if err != nil {
			vm.failed(err)
			return
		}
		vm.loaded = true
		if vm.edits == 0 && len(ls) > 0 {
			last := ls[0]
			for _, l := range ls[1:] {
				if l.UpdatedAt.After(last.UpdatedAt) {
					last = l
				}
			}
			vm.letter = last
			vm.changed()
		}
		vm.touch(false)
	})
}

func (vm *letterVM) empty() bool { return vm.letter.Subject == "" && vm.letter.Body == "" }

// edit changes the letter as the user writes.
func (vm *letterVM) edit(change func(l *model.Letter)) {
	change(&vm.letter)
	vm.edits++
	vm.touch(true)
}

// replace puts another letter into the editor, as a new draft.
func (vm *letterVM) replace(l model.Letter) {
	l.ID = 0
	vm.letter = l
	vm.edits++
	vm.changed()
	vm.touch(true)
}

// as shows the preview as another recipient or from another account.
func (vm *letterVM) as(accountID, contactID int64) {
	if vm.accountID == accountID && vm.contactID == contactID {
		return
	}
	vm.accountID, vm.contactID = accountID, contactID
	vm.touch(false)
}

// touch makes preview and draft a moment after the last change.
func (vm *letterVM) touch(save bool) {
	vm.saving = vm.saving || save
	vm.tasks.after(&vm.pause, vm.delay, vm.settle)
}

// settle saves the draft and asks for a preview now.
func (vm *letterVM) settle() {
	if vm.saving {
		vm.saving = false
		l, edits := vm.letter, vm.edits
		background(vm.tasks, func(ctx context.Context) (model.Letter, error) {
			err := vm.svc.SaveLetter(ctx, &l)
			return l, err
		}, func(l model.Letter, err error) {
			if err != nil {
				vm.failed(err)
			} else if vm.letter.ID == 0 && edits <= vm.edits {
				vm.letter.ID = l.ID
			}
		})
	}
	if vm.stop != nil {
		vm.stop()
	}
	if vm.empty() {
		vm.preview, vm.err = model.Rendered{}, nil
		vm.shown()
		return
	}
	l, account, contact, edits := vm.letter, vm.accountID, vm.contactID, vm.edits
	vm.stop = background(vm.tasks,
		func(ctx context.Context) (model.Rendered, error) { return vm.svc.Preview(ctx, l, account, contact) },
		func(r model.Rendered, err error) {
			if edits != vm.edits || account != vm.accountID || contact != vm.contactID {
				return
			}
			vm.preview, vm.err = r, err
			vm.shown()
		})
}
