package tarfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

const exportOp = "Export"

// job is one Export.
type job struct {
	ctx     context.Context
	layers  []Source
	options ExportOptions
	byLayer bool
	what    product
}

// product is what is made of a tree.
type product int

const (
	disk product = iota
	sealedDisk
	hashTree
)

func newJob(ctx context.Context, mode Mode, layers []Source, opts *ExportOptions) (*job, error) {
	j := &job{ctx: ctx, layers: layers, byLayer: strings.HasPrefix(string(mode), "layer_")}
	switch mode {
	case LayerBlock, ImageBlock:
		j.what = disk
	case LayerBlockWithVerity, ImageBlockWithVerity:
		j.what = sealedDisk
	case LayerVerityOnly, ImageVerityOnly:
		j.what = hashTree
	default:
		return nil, invalid(exportOp, fmt.Sprintf("mode %q: not known", string(mode)))
	}
	if opts != nil {
		j.options = *opts
	}
	if j.options.Layout.Artifact == Bootstrap {
		j.options.Layout.Artifact = DiskMetadataFirst
	}
	j.options.Layout.CopyBodies = true
	if v := j.options.Verity; v != nil && j.what != disk && !v.AnyDataBlock {
		if data, block := max(v.DataBlock, 512), max(j.options.Layout.BlockSize, 512); data > block {
			return nil, invalid(exportOp, fmt.Sprintf("data blocks of %d bytes over a filesystem with blocks of %d: "+
				"Linux opens the device, and refuses the mount. Verity.DataBlock %d, or Layout.BlockSize %d, "+
				"or Verity.AnyDataBlock if it is not for a mount", data, block, block, data))
		}
	}
	if len(layers) == 0 {
		return nil, invalid(exportOp, "no layers")
	}
	return j, nil
}

func (j *job) run(path string) ([]Exported, error) {
	if path == "" {
		return nil, invalid(exportOp, "the path is empty")
	}
	if err := j.spareInputs(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if j.byLayer && (len(j.layers) > 1 || err == nil && info.IsDir()) {
		return j.each(path)
	}
	var outputs outputs
	defer outputs.drop()
	source := j.layers[0]
	if !j.byLayer {
		if source, err = merged(j.layers, j.options.Merge); err != nil {
			return nil, err
		}
		defer source.Tree.Close()
	}
	made, err := j.one(&outputs, source, path)
	if err != nil {
		return nil, err
	}
	return j.finish(&outputs, []Exported{made})
}

// each makes a file for each layer, in a directory.
func (j *job) each(dir string) (all []Exported, err error) {
	made := false
	if err := os.Mkdir(dir, 0o777); err == nil {
		made = true
	} else if !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	var outputs outputs
	defer func() {
		outputs.drop()
		if err != nil && made {
			// Not if it has something in it, whosever that is.
			_ = os.Remove(dir)
		}
	}()
	for i, layer := range j.layers {
		one, err := j.one(&outputs, layer, filepath.Join(dir, j.fileName(layer, i)))
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, one)
	}
	return j.finish(&outputs, all)
}

// finish gives the files their names.
func (j *job) finish(outputs *outputs, all []Exported) ([]Exported, error) {
	err := done(j.ctx)
	if err == nil {
		err = outputs.finish()
	}
	if err != nil {
		closeAll(all)
		return nil, err
	}
	return all, nil
}

func closeAll(all []Exported) {
	for _, one := range all {
		one.Verity.Close()
	}
}

// one makes the file of one tree.
func (j *job) one(outputs *outputs, source Source, path string) (Exported, error) {
	layout, err := Plan(source.Tree, &j.options.Layout)
	if err != nil {
		return Exported{}, err
	}
	defer layout.Close()
	out, err := outputs.create(path)
	if err != nil {
		return Exported{}, err
	}
	made := Exported{Path: path, Devices: layout.Devices(), Size: int64(layout.Info().DiskBytes)}
	switch j.what {
	case disk:
		err = layout.WriteDisk(j.ctx, source.Devices, out)
	case sealedDisk:
		made.Verity, err = j.sealed(layout, source, out)
	case hashTree:
		made.Verity, err = layout.HashDisk(j.ctx, source.Devices, source.Leaves, j.verity(HashOwnFile), out)
	}
	if err == nil && made.Verity != nil {
		made.Size = int64(made.Verity.Info().End)
		err = out.Truncate(made.Size)
	}
	if err == nil {
		err = out.Sync()
	}
	if err != nil {
		made.Verity.Close()
		return Exported{}, err
	}
	return made, nil
}

// sealed writes a disk, and its tree behind it. With kept digests the disk is not read again.
func (j *job) sealed(layout *Layout, source Source, out *os.File) (*Sealed, error) {
	if err := layout.WriteDisk(j.ctx, source.Devices, out); err != nil {
		return nil, err
	}
	params := j.verity(HashBehindData)
	if source.Leaves != nil {
		return layout.HashDisk(j.ctx, source.Devices, source.Leaves, params, out)
	}
	size := layout.Info().DiskBytes
	padding, err := params.Padding(size)
	if err != nil {
		return nil, err
	}
	if err := out.Truncate(int64(size + padding)); err != nil {
		return nil, err
	}
	return Seal(j.ctx, out, int64(size+padding), params, out, j.options.Threads)
}

// verity is the parameters, with the place that the mode says.
func (j *job) verity(placement Placement) *VerityParams {
	var params VerityParams
	if j.options.Verity != nil {
		params = *j.options.Verity
	}
	params.Placement, params.HashOffset = placement, 0
	return &params
}

// spareInputs refuses to write over what is read.
func (j *job) spareInputs(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	for _, layer := range j.layers {
		for _, device := range layer.Devices {
			file, ok := device.(*os.File)
			if !ok {
				continue
			}
			if input, err := file.Stat(); err == nil && os.SameFile(info, input) {
				return invalid(exportOp, path+" is an input and the output")
			}
		}
	}
	return nil
}

// fileName names the file of a layer by its tag.
func (j *job) fileName(layer Source, index int) string {
	name := fmt.Sprintf("layer-%d", index+1)
	if layer.Tree != nil && len(layer.Tree.devices) > 0 && layer.Tree.devices[0].Tag != "" {
		name = plainName(layer.Tree.devices[0].Tag)
	}
	if j.what == hashTree {
		return name + ".verity"
	}
	return name + ".disk"
}

// plainName makes a file name of a tag.
func plainName(tag string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		case strings.ContainsRune("-_.+=@", r):
			return r
		}
		return '-'
	}, tag)
	if strings.HasPrefix(name, ".") {
		return "tar" + name
	}
	return name
}
