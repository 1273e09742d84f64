package attached

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/core/remotes/docker/config"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/erofs-tarfs/erofs-tarfs/examples/go/cmd/tarfs-snapshotter/internal/store"
)

// mostReferrers is how many artifacts of one image are looked at, and mostSources in how many repositories.
const (
	mostReferrers = 8
	mostSources   = 4
)

// fetch looks for what is attached to an image where the image came from, and has the first that is right kept.
func (f *Finder) fetch(ctx context.Context, image *image) error {
	if len(image.sources) == 0 && len(image.others) > 0 {
		return fmt.Errorf("%w: it came from %s, which attached.trusted_repositories does not name", errAbsent, short(strings.Join(image.others, ", ")))
	}
	if len(image.sources) == 0 {
		return fmt.Errorf("%w: it came from no registry", errAbsent)
	}
	var refused error
	for _, source := range image.sources[:min(len(image.sources), mostSources)] {
		err := f.from(ctx, source, image)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errAbsent) {
			refused = errors.Join(refused, bounded(fmt.Errorf("%s: %w", source, err)))
		}
	}
	if refused == nil {
		return errAbsent
	}
	return refused
}

// from looks in one repository. What is there is known soon, or it is nothing; the files then take their time.
func (f *Finder) from(ctx context.Context, source string, image *image) error {
	seeking, cancel := context.WithTimeout(ctx, f.options.Seeking)
	defer cancel()
	fetcher, err := f.resolver(ctx, source).Fetcher(ctx, source+"@"+image.desc.Digest.String())
	if err != nil {
		return err
	}
	asks, ok := fetcher.(remotes.ReferrersFetcher)
	if !ok {
		return errors.New("this client of registries knows nothing of referrers")
	}
	all, err := asks.FetchReferrers(seeking, image.desc.Digest, remotes.WithReferrerArtifactTypes(ArtifactType))
	if err != nil {
		return fmt.Errorf("referrers: %w", err)
	}
	refused := errAbsent
	for _, desc := range all[:min(len(all), mostReferrers)] {
		err := f.one(ctx, seeking, fetcher, desc, image)
		if err == nil {
			return nil
		}
		err = bounded(fmt.Errorf("referrer %s: %w", named(desc.Digest), err))
		if refused == errAbsent {
			refused = err
		} else {
			refused = errors.Join(refused, err)
		}
	}
	return refused
}

// one has an artifact kept, if it is right. Its manifest comes while it is sought.
func (f *Finder) one(ctx, seeking context.Context, fetcher remotes.Fetcher, desc ocispec.Descriptor, image *image) error {
	if desc.Size > mostDocument {
		return fmt.Errorf("has %d bytes, more than %d", desc.Size, mostDocument)
	}
	var text limited
	if err := copyBlob(seeking, fetcher, plain(desc), &text); err != nil {
		return err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text.bytes, &manifest); err != nil {
		return err
	}
	a, err := f.readArtifact(&manifest, image)
	if err != nil {
		return err
	}
	return f.options.Layers.Attach(ctx, store.Attached{
		Layers: image.diffIDs, Root: a.root, DataBlocks: a.dataBlocks,
		Fetch: func(ctx context.Context, metadata, tree io.Writer) error {
			if err := copyBlob(ctx, fetcher, a.metadata, metadata); err != nil {
				return err
			}
			return copyBlob(ctx, fetcher, a.tree, tree)
		},
	})
}

// limited is a small document in memory.
type limited struct{ bytes []byte }

func (l *limited) Write(p []byte) (int, error) {
	l.bytes = append(l.bytes, p...)
	return len(p), nil
}

// copyBlob fetches a blob, of which it reads no more bytes than it should have, and checks length and digest.
func copyBlob(ctx context.Context, fetcher remotes.Fetcher, desc ocispec.Descriptor, to io.Writer) error {
	if err := desc.Digest.Validate(); err != nil {
		return fmt.Errorf("digest %s: %w", named(desc.Digest), err)
	}
	from, err := fetcher.Fetch(ctx, desc)
	if err != nil {
		return fmt.Errorf("%s: %w", desc.Digest, err)
	}
	defer from.Close()
	verifier := desc.Digest.Verifier()
	n, err := io.Copy(io.MultiWriter(to, verifier), io.LimitReader(from, desc.Size+1))
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", desc.Digest, err)
	case n != desc.Size:
		return fmt.Errorf("%s: is not as long as it should be: %d bytes", desc.Digest, desc.Size)
	case !verifier.Verified():
		return fmt.Errorf("%s: has other bytes than its digest says", desc.Digest)
	}
	return nil
}

// resolver reaches registries as containerd does: by the files hosts.toml, by HTTPS, and on loopback without.
func (f *Finder) resolver(ctx context.Context, source string) remotes.Resolver {
	_, repository, _ := strings.Cut(source, "/")
	credentials := func(host string) (name, password string, err error) { return f.credentials(host, repository) }
	hosts := config.HostOptions{Credentials: credentials, UpdateClient: func(client *http.Client) error {
		client.Transport = guard{client.Transport, f.options.Silence}
		return nil
	}}
	if f.options.HostsDir != "" {
		hosts.HostDir = config.HostDirFromRoot(f.options.HostsDir)
	}
	return docker.NewResolver(docker.ResolverOptions{Hosts: config.ConfigureHosts(ctx, hosts)})
}
