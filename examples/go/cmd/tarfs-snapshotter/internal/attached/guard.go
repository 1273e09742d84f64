package attached

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// leastBytes have to come each time that [Options.Silence] goes by: who sends less than that has no daemon wait for him.
const leastBytes = 64 << 10

// guard holds answers of registries to rules that the client for registries has not.
type guard struct {
	next    http.RoundTripper
	silence time.Duration
}

func (g guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if from := request.Response; from != nil && from.Request.URL.Scheme == "https" && request.URL.Scheme != "https" {
		return nil, fmt.Errorf("the registry leads to %s://%s, which is not asked by HTTPS", request.URL.Scheme, request.URL.Host)
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	request = request.Clone(ctx)
	// What is packed may take any memory to unpack, and nothing here is worth it.
	request.Header.Set("Accept-Encoding", "identity")
	answer, err := g.next.RoundTrip(request)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	body := &watched{ReadCloser: answer.Body, ctx: ctx, cancel: cancel, silence: g.silence}
	body.timer = time.AfterFunc(g.silence, body.look)
	answer.Body = body
	if packed := answer.Header.Get("Content-Encoding"); packed != "" && packed != "identity" {
		body.Close()
		return nil, fmt.Errorf("the registry answers with Content-Encoding %s, which was not asked for", short(packed))
	}
	return answer, nil
}

// watched is a body that is cut off when it comes too slowly.
type watched struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	silence time.Duration

	mu    sync.Mutex
	bytes int64 // since the last look
}

// look ends the request, unless enough has come since the last time.
func (w *watched) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		return
	}
	if w.bytes < leastBytes {
		w.cancel(fmt.Errorf("the registry has sent %d bytes in %v, less than %d", w.bytes, w.silence, leastBytes))
		return
	}
	w.bytes = 0
	w.timer.Reset(w.silence)
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.mu.Lock()
	w.bytes += int64(n)
	w.mu.Unlock()
	if err != nil && err != io.EOF && w.ctx.Err() != nil {
		err = context.Cause(w.ctx)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	w.cancel(nil)
	return w.ReadCloser.Close()
}
