package log

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// aLargeLog is a log of so many bytes, all but the last part of which is a
// hole.
func aLargeLog(b *testing.B, size, written int64) Files {
	b.Helper()
	l := Files{path: filepath.Join(b.TempDir(), "endpoint.log")}
	f, err := os.Create(l.path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Seek(size-written, io.SeekStart); err != nil {
		b.Fatal(err)
	}
	var block bytes.Buffer
	for n, at := int64(0), time.Date(2026, 11, 23, 8, 0, 0, 0, time.Local); n < written; n += int64(block.Len()) {
		block.Reset()
		for range 1000 {
			at = at.Add(time.Millisecond)
			fmt.Fprintf(&block, "%s DEBUG MainProcess-4711 CommandQueue-140183021283904 globus_compute_endpoint.endpoint.rabbit_mq.command_queue_subscriber:99 run heartbeat sent\n", at.Format(timeLayout))
		}
		fmt.Fprintf(&block, "%s ERROR MainProcess-4711 MainThread-140183021283904 globus_compute_endpoint.endpoint.core_endpoint:460 f failed\nTraceback (most recent call last):\nConnectionError: gone\n", at.Format(timeLayout))
		if _, err := f.Write(block.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
	return l
}

// BenchmarkLogTail2GiB reads the end of a log of 2 GiB in several ways. What
// counts is B/op: none of them may need more than a few MiB.
func BenchmarkLogTail2GiB(b *testing.B) {
	l := aLargeLog(b, 2<<30, 64<<20)
	for name, q := range map[string]Query{
		"tail=100":      {Tail: 100},
		"level=ERROR":   {Level: "ERROR", Tail: 20},
		"grep=nowhere":  {Grep: "nowhere to be found"},
		"bytes=1MiB":    {},
		"grep=a.*regex": {Grep: "gone$", Tail: 20},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := l.Query(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("marker", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok, err := l.LastMarker(); ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}

// BenchmarkLogGrep searches 256 MiB of records for what is not there, and
// reports how many times as long it takes as reading the file and looking for
// the same bytes.
func BenchmarkLogGrep(b *testing.B) {
	l := aLargeLog(b, 256<<20, 256<<20)
	var ours, floor time.Duration
	for b.Loop() {
		start := time.Now()
		if page, err := l.Query(b.Context(), Query{Grep: "nowhere to be found"}); err != nil || len(page.Records) > 0 {
			b.Fatal(page, err)
		}
		ours += time.Since(start)
		start = time.Now()
		f, err := os.Open(l.path)
		if err != nil {
			b.Fatal(err)
		}
		for buf := make([]byte, chunkSize); ; {
			n, err := f.Read(buf)
			if bytes.Contains(buf[:n], []byte("nowhere to be found")) {
				b.Fatal("it is there")
			}
			if err != nil {
				break
			}
		}
		f.Close()
		floor += time.Since(start)
	}
	b.ReportMetric(float64(ours)/float64(floor), "x-floor")
	b.ReportMetric(256*float64(b.N)/ours.Seconds(), "MiB/s")
}
