package attached

import (
	"errors"
	"strconv"

	"github.com/opencontainers/go-digest"
)

// Bytes of an error about one artifact or repository, and of a text in it: both are written by others, and go to the log.
const (
	mostError = 400
	mostText  = 80
)

// short is a text of somebody else, quoted, and not all of it if it is long.
func short(text string) string {
	if len(text) <= mostText {
		return strconv.Quote(text)
	}
	return strconv.Quote(text[:mostText]) + "… (" + strconv.Itoa(len(text)) + " bytes)"
}

// named is a digest, or what stands in the place of one.
func named(id digest.Digest) string {
	if id.Validate() == nil {
		return id.String()
	}
	return short(id.String())
}

// bounded is an error, or the beginning of its text where that is long.
func bounded(err error) error {
	if err == nil || len(err.Error()) <= mostError {
		return err
	}
	return errors.New(err.Error()[:mostError] + "…")
}
