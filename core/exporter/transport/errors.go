package transport

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGone is in the chain of an error after which no attempt can succeed, because the target has gone for good: the
// program ends.
var ErrGone = errors.New("the target is gone for good")

// Verdict says what is to become of an item that a delivery names in its [ItemErrors].
type Verdict uint8

const (
	// Retry: the target does not have the item and may take it later.
	Retry Verdict = iota
	// Undeliverable: the target will never take the item.
	Undeliverable
	// Duplicate: the target has the item from an earlier attempt. This is a success, told apart for the statistics.
	Duplicate
)

// ItemError is the outcome of one item of a batch.
type ItemError struct {
	Index   int // position in the batch
	Verdict Verdict
	Cause   string // a short name with few values, by which failures are grouped
	Status  int    // the status code of the answer, 0 if there was none
	Err     error  // details; nil if Cause says it all
}

// ItemErrors says which items of a batch did not simply succeed; those it does not name are delivered.
type ItemErrors struct {
	Items []ItemError // by ascending Index, each at most once
}

// Error gives the first cause and the number of items.
func (e *ItemErrors) Error() string {
	if len(e.Items) == 0 {
		return "no item failed"
	}
	return fmt.Sprintf("%d items not delivered, the first because of %v", len(e.Items), e.Items[0].Reason())
}

// Unwrap returns the errors of the items.
func (e *ItemErrors) Unwrap() []error {
	var errs []error
	for _, it := range e.Items {
		if it.Err != nil {
			errs = append(errs, it.Err)
		}
	}
	return errs
}

// Reason is the cause with its details.
func (e ItemError) Reason() error {
	switch {
	case e.Err == nil:
		return errors.New(e.Cause)
	case strings.HasPrefix(e.Err.Error(), e.Cause):
		return e.Err // says it already
	}
	return fmt.Errorf("%s: %w", e.Cause, e.Err)
}

// fail returns the error of a batch of n items of which those from index first on were not delivered, all for one
// reason, and may be tried again. It is nil if there are none.
func fail(first, n int, cause string, err error) error {
	if first == n {
		return nil
	}
	e := &ItemErrors{Items: make([]ItemError, 0, n-first)}
	for i := first; i < n; i++ {
		e.Items = append(e.Items, ItemError{Index: i, Verdict: Retry, Cause: cause, Err: err})
	}
	return e
}
