package snapshotter

import (
	"fmt"
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// privatePrefix starts the names of labels that callers neither see nor set.
const privatePrefix = "tarfs.private/"

// labelLayer says which layer a snapshot is of: each committed one, and an active one that is to be committed as it
// is.
const labelLayer = privatePrefix + "layer"

// layerOf is the layer that a snapshot is of, if it is known.
func layerOf(info snapshots.Info) (digest.Digest, bool) {
	id, ok := info.Labels[labelLayer]
	return digest.Digest(id), ok
}

// isUnpack says whether a snapshot is made to unpack a layer of an image.
func isUnpack(info snapshots.Info) bool {
	return info.Labels[snapshots.LabelSnapshotRef] != ""
}

// hide takes away what is private.
func hide(info snapshots.Info) snapshots.Info {
	info.Labels = public(info.Labels)
	return info
}

// public has the labels that are not private: the map itself where it has no others.
func public(labels map[string]string) map[string]string {
	if len(private(labels)) == 0 {
		return labels
	}
	shown := maps.Clone(labels)
	maps.DeleteFunc(shown, func(name, _ string) bool { return strings.HasPrefix(name, privatePrefix) })
	if len(shown) == 0 {
		return nil
	}
	return shown
}

// private has the labels that are.
func private(labels map[string]string) map[string]string {
	hidden := map[string]string{}
	for name, value := range labels {
		if strings.HasPrefix(name, privatePrefix) {
			hidden[name] = value
		}
	}
	return hidden
}

// own has the labels that are private, and those that say what was exported.
func own(labels map[string]string) map[string]string {
	kept := private(labels)
	for _, name := range exported {
		if value, set := labels[name]; set {
			kept[name] = value
		}
	}
	return kept
}

// given is what options say.
func given(opts []snapshots.Opt) (info snapshots.Info, err error) {
	for _, opt := range opts {
		if err := opt(&info); err != nil {
			return info, err
		}
	}
	if len(private(info.Labels)) > 0 {
		return info, fmt.Errorf("labels %s… are the snapshotter's own: %w", privatePrefix, errdefs.ErrInvalidArgument)
	}
	for _, name := range exported {
		// Annotations of an image's layers come as labels. What these say of a root hash nobody has computed.
		if _, set := info.Labels[name]; set {
			return info, fmt.Errorf("label %s is the snapshotter's own: %w", name, errdefs.ErrInvalidArgument)
		}
	}
	info.Labels = maps.Clone(info.Labels)
	if info.Labels == nil {
		info.Labels = map[string]string{}
	}
	return info, nil
}

// as is the option that says what an info says.
func as(info snapshots.Info) snapshots.Opt {
	return func(base *snapshots.Info) error {
		base.Labels, base.Parent = info.Labels, info.Parent
		return nil
	}
}
