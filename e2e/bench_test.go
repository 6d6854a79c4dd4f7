package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkStart is the time from the start of the process to its first 200, on a database that is there already (goal: under
// 100 ms).
func BenchmarkStart(b *testing.B) {
	env := settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(b.TempDir(), "signet.db")}
	n := place(b, env)
	n.start(b) // makes database and keys
	n.kill()
	for b.Loop() {
		n.start(b)
		b.StopTimer()
		n.kill()
		b.StartTimer()
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/first-200")
}

// BenchmarkIdleMemory is the resident memory of a server on SQLite that has nothing to do (goal: under 40 MiB).
func BenchmarkIdleMemory(b *testing.B) {
	env := settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(b.TempDir(), "signet.db")}
	n := place(b, env)
	n.start(b) // makes the keys, which takes memory that a later start does not
	n.kill()
	n.start(b)
	var kib int
	for b.Loop() {
		<-time.After(time.Second)
		kib = max(kib, resident(b, n.cmd.Process.Pid))
	}
	b.ReportMetric(float64(kib)/1024, "MiB-resident")
}

// BenchmarkHTTP is what one request costs from end to end, sixteen callers on this machine, on SQLite.
func BenchmarkHTTP(b *testing.B) {
	n := serve(b, settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(b.TempDir(), "signet.db")})
	createUser(b, n.env, "ada")
	shop := createClient(b, n.env, "--name", "shop", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid")
	access := signIn(b, n.URL, shop, "ada").AccessToken
	for name, ask := range map[string]func(){
		"introspect": func() { introspect(b, n.URL, shop, access) },
		"jwks":       func() { get(b, n.URL+"/.well-known/jwks.json", "") },
		"userinfo":   func() { get(b, n.URL+"/userinfo", access) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					ask()
				}
			})
		})
	}
}

// resident is what the kernel says of the process, in KiB.
func resident(b *testing.B, pid int) int {
	b.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		b.Fatalf("only Linux tells a process's memory here: %v", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				b.Fatal(err)
			}
			return kib
		}
	}
	b.Fatal("the kernel does not say VmRSS")
	return 0
}
