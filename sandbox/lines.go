package sandbox

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"sync"
)

// readLines calls line for each line of r until r ends. A line longer than
// limit is cut there, and the rest of it is dropped.
func readLines(r io.Reader, limit int, line func([]byte)) {
	br := bufio.NewReaderSize(r, 64<<10)
	var long []byte // what there is of a line that does not fit the reader
	for {
		part, err := br.ReadSlice('\n')
		switch {
		case err == bufio.ErrBufferFull:
			if len(long) < limit {
				long = append(long, part[:min(len(part), limit-len(long))]...)
			}
			continue
		case len(long) > 0:
			part = append(long, part[:min(len(part), limit-len(long))]...)
			if cap(long) > 1<<20 {
				long = nil
			} else {
				long = long[:0]
			}
		}
		part = bytes.TrimRight(part, "\r\n")
		if len(part) > 0 {
			line(part)
		}
		if err != nil {
			return
		}
	}
}

// diary is what a component wrote: a file that does not grow beyond a limit
// (the older half is in a second file), and the last lines in memory.
type diary struct {
	path string

	mu   sync.Mutex // guards all below
	file *os.File
	size int
	last [][]byte
	next int // where in last the next line goes
}

const (
	diaryLimit = 4 << 20  // of each of the two files
	lineLimit  = 16 << 10 // of one line in the file
	lastLines  = 20       // kept in memory
	lastLength = 500      // of each of those
)

func openDiary(path string) (*diary, error) {
	d := &diary{path: path}
	return d, d.open()
}

func (d *diary) open() error {
	f, err := os.OpenFile(d.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	d.file, d.size = f, 0
	if info, err := f.Stat(); err == nil {
		d.size = int(info.Size())
	}
	return nil
}

// write adds a line. A full disk costs the line in the file, not the component.
func (d *diary) write(line []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(line) > lineLimit {
		line = line[:lineLimit]
	}
	kept := append([]byte(nil), line[:min(len(line), lastLength)]...)
	if len(d.last) < lastLines {
		d.last = append(d.last, kept)
	} else {
		d.last[d.next] = kept
		d.next = (d.next + 1) % lastLines
	}
	if d.file == nil {
		return
	}
	if d.size > 0 && d.size+len(line) > diaryLimit {
		d.file.Close()
		d.file = nil
		if os.Rename(d.path, d.path+".1") != nil || d.open() != nil {
			return
		}
	}
	n, _ := d.file.Write(append(line[:len(line):len(line)], '\n'))
	d.size += n
}

// tail returns the last lines, oldest first.
func (d *diary) tail() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	lines := make([]string, 0, len(d.last))
	for i := range d.last {
		lines = append(lines, string(d.last[(d.next+i)%len(d.last)]))
	}
	return lines
}

// forget empties the memory, at the start of a new process.
func (d *diary) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last, d.next = nil, 0
}

func (d *diary) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file != nil {
		d.file.Close()
		d.file = nil
	}
}
