// The library that Kubernetes leaves schedules to, asked line by line: a schedule, and from when on
// how many of its times are wanted, as JSON; the answer is the times in seconds, or the error.
//
// Zones come from the directory that ZONEINFO names, which the test fills with its own.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron/v3"
)

type question struct {
	Schedule string
	// Seconds since the epoch, and nanoseconds beyond.
	After, Nanoseconds int64
	// So many times at most, none of them at or after the end.
	Count int
	End   int64
}

type answer struct {
	Error string  `json:"error"`
	Times []int64 `json:"times"`
}

// parse does what Kubernetes does around the library.
func parse(text string) (schedule cron.Schedule, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("invalid schedule format: %v", r)
		}
	}()
	return cron.ParseStandard(text)
}

func reply(q question) answer {
	schedule, err := parse(q.Schedule)
	if err != nil {
		return answer{Error: err.Error()}
	}
	times := []int64{}
	at := time.Unix(q.After, q.Nanoseconds).UTC()
	for len(times) < q.Count {
		at = schedule.Next(at)
		if at.IsZero() || at.Unix() >= q.End {
			break
		}
		times = append(times, at.Unix())
	}
	return answer{Times: times}
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var q question
		if err := json.Unmarshal(in.Bytes(), &q); err != nil {
			panic(err)
		}
		if err := out.Encode(reply(q)); err != nil {
			panic(err)
		}
	}
	if err := in.Err(); err != nil {
		panic(err)
	}
}
