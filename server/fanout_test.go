package server

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kubestage/kubestage/watch"
)

// BenchmarkFanOut measures the time from an event's place in the log to its
// arrival at each of many clients in this process, while 300 events a second
// of 2 KB come in:
//
//	go test -tags nosandbox -run '^$' -bench FanOut -benchtime 5x ./server
func BenchmarkFanOut(b *testing.B) {
	for _, clients := range []int{1, 200} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			s := serve(b)
			value := json.RawMessage(`{"value":"` + strings.Repeat("x", 1500) + `"}`)
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			perRun := 300
			total := uint64(b.N * perRun)
			var mu sync.Mutex
			var delays []time.Duration
			var wg sync.WaitGroup
			for range clients {
				conn, err := dialURL(b, s.url("/api/stream?after=0"))
				if err != nil {
					b.Fatal(err)
				}
				wg.Go(func() {
					var own []time.Duration
					for last := uint64(0); last < total; {
						_, text, err := conn.Read(ctx)
						if err != nil {
							b.Error(err)
							return
						}
						now := time.Now()
						// Reading JSON is the browser's work; here it would be
						// most of the load.
						for rest := string(text); ; {
							_, after, ok := strings.Cut(rest, `"end":"`)
							if !ok {
								break
							}
							at, err := time.Parse(time.RFC3339Nano, after[:strings.IndexByte(after, '"')])
							if err != nil {
								b.Error(err)
								return
							}
							own = append(own, now.Sub(at))
							last++
							rest = after
						}
					}
					mu.Lock()
					delays = append(delays, own...)
					mu.Unlock()
				})
			}
			b.ResetTimer()
			for range b.N {
				for range perRun / 3 {
					for range 3 {
						s.Log.Append(watch.Event{Kind: watch.Etcd, From: watch.APIServer, To: watch.EtcdServer, Verb: "put", Start: time.Now(), End: time.Now(), Evidence: watch.Observed("etcd", "k"), Detail: value})
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
			wg.Wait()
			b.StopTimer()
			if want := int(total) * clients; len(delays) != want {
				b.Errorf("%d deliveries, want %d", len(delays), want)
			}
			slices.Sort(delays)
			at := func(p float64) float64 {
				return float64(delays[int(p*float64(len(delays)-1))].Microseconds()) / 1000
			}
			b.ReportMetric(at(0.5), "ms-p50")
			b.ReportMetric(at(0.99), "ms-p99")
			b.ReportMetric(at(1), "ms-max")
			b.ReportMetric(0, "ns/op")
		})
	}
}
