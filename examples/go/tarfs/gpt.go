package tarfs

// #include <tarfs.h>
import "C"

// Partition is a disk that is to be a partition.
type Partition struct {
	// Name is up to 36 UTF-16 units.
	Name string
	// Identity tells its content from others: a root hash, or a digest. Its GUID follows from it.
	Identity []byte
	// Disk is what is in it.
	Disk []Range
	// Role is what it is for, which its type and attributes tell.
	Role PartitionRole
	// Architecture is for which processors, if Role is not PartitionLinux: runtime.GOARCH will do, or
	// a name of the Discoverable Partitions Specification.
	Architecture string
}

// PartitionRole is what a partition is for.
type PartitionRole uint32

const (
	// PartitionLinux is "Linux filesystem data": nobody takes it for anything by itself.
	PartitionLinux PartitionRole = C.TARFS_PARTITION_LINUX
	// PartitionRoot is a root file system, as the Discoverable Partitions Specification has it.
	PartitionRoot PartitionRole = C.TARFS_PARTITION_ROOT
	// PartitionRootVerity is the hash tree of a root file system, from its superblock on. Identity is
	// the root hash, of it and of the file system: its halves are their GUIDs.
	PartitionRootVerity PartitionRole = C.TARFS_PARTITION_ROOT_VERITY
	// PartitionUsr is what is mounted at /usr.
	PartitionUsr PartitionRole = C.TARFS_PARTITION_USR
	// PartitionUsrVerity is the hash tree of what is mounted at /usr.
	PartitionUsrVerity PartitionRole = C.TARFS_PARTITION_USR_VERITY
)

// GPT is disks in the partitions of one.
type GPT struct {
	// Bytes is the length of the disk.
	Bytes uint64
	// GUID is the disk's, in the byte order in which it is written.
	GUID [16]byte
	// Head is the partition table at the disk's beginning, Tail that at its end.
	Head, Tail []byte
	// Partitions are where they are, in order.
	Partitions []Placed
}

// Placed is where a partition is.
type Placed struct {
	// Offset is the byte of the disk at which it starts.
	Offset uint64
	// Bytes is its length.
	Bytes uint64
	// GUID is its own, in the byte order in which it is written.
	GUID [16]byte
	// Type is the GUID of its type, in the same byte order.
	Type [16]byte
}

// NewGPT puts disks into the partitions of one, each at a multiple of align bytes: a power of two
// from 512 to 1 GiB, or 0 for 1 MiB. The second result is that disk: of table, where Head and right
// behind it Tail are from its Offset on, and of the files of the partitions.
//
// Same partitions, same bytes: GUIDs follow from the content. What does not fit a partition table is
// ErrOutput.
func NewGPT(partitions []Partition, align uint64, table Held) (*GPT, []Range, error) {
	const op = "NewGPT"
	c := newCall(op, nil)
	defer c.end()
	var names cStrings
	defer names.free()
	file := names.add(table.File)
	given := make([]C.tarfs_partition, len(partitions))
	for i, p := range partitions {
		one := C.tarfs_partition{size: C.sizeof_tarfs_partition}
		one.name, one.name_len = c.text(p.Name)
		one.identity, one.identity_len = c.bytes(p.Identity)
		for _, r := range p.Disk {
			one.bytes += C.uint64_t(r.Bytes)
		}
		one.role = C.uint32_t(p.Role)
		if p.Architecture != "" {
			one.architecture = names.add(p.Architecture)
		}
		given[i] = one
	}
	if names.bad {
		return nil, nil, invalid(op, "a NUL in a name")
	}
	var first *C.tarfs_partition
	if len(given) > 0 {
		first = &given[0]
		c.pin.Pin(first)
	}
	var ptr *C.tarfs_gpt
	err := c.do(func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_gpt_new(first, C.size_t(len(given)), C.uint64_t(align), &ptr, err)
	})
	if err != nil {
		return nil, nil, err
	}
	defer C.tarfs_gpt_free(ptr)
	gpt, err := describeGPT(op, ptr)
	if err != nil {
		return nil, nil, err
	}
	var disk []Range
	err = withDisks(op, partitions, nil, func(disks []*C.tarfs_ranges) error {
		var whole *C.tarfs_ranges
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_gpt_get_ranges(ptr, &disks[0], C.size_t(len(disks)), file, C.uint64_t(table.Offset), &whole, err)
		})
		if err != nil {
			return err
		}
		defer C.tarfs_ranges_free(whole)
		disk, err = rangesOf(op, whole)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return gpt, disk, nil
}

// withDisks gives C the disks of partitions for the time of work.
func withDisks(op string, partitions []Partition, disks []*C.tarfs_ranges, work func([]*C.tarfs_ranges) error) error {
	if len(partitions) == 0 {
		return work(disks)
	}
	return withRanges(op, partitions[0].Disk, func(ptr *C.tarfs_ranges) error {
		return withDisks(op, partitions[1:], append(disks, ptr), work)
	})
}

func describeGPT(op string, ptr *C.tarfs_gpt) (*GPT, error) {
	info := C.tarfs_gpt_info{size: C.sizeof_tarfs_gpt_info}
	err := simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_gpt_get_info(ptr, &info, err)
	})
	if err != nil {
		return nil, err
	}
	table := make([]byte, info.head_bytes+info.tail_bytes)
	err = simple(op, func(err **C.tarfs_error) C.int32_t {
		return C.tarfs_gpt_get_table(ptr, (*C.uint8_t)(&table[0]), C.size_t(len(table)), err)
	})
	if err != nil {
		return nil, err
	}
	gpt := &GPT{
		Bytes: uint64(info.bytes),
		GUID:  bytes16(info.guid),
		Head:  table[:info.head_bytes:info.head_bytes],
		Tail:  table[info.head_bytes:],
	}
	for i := range uint64(info.partitions) {
		p := C.tarfs_placed{size: C.sizeof_tarfs_placed}
		err := simple(op, func(err **C.tarfs_error) C.int32_t {
			return C.tarfs_gpt_get_partition(ptr, C.size_t(i), &p, err)
		})
		if err != nil {
			return nil, err
		}
		gpt.Partitions = append(gpt.Partitions, Placed{uint64(p.offset), uint64(p.bytes), bytes16(p.guid), bytes16(p.partition_type)})
	}
	return gpt, nil
}
