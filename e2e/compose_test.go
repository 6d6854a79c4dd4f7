package e2e

import (
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/goccy/go-yaml"
)

// unprivileged is the user that the image runs as.
const unprivileged = 65532

// compose is what docker-compose.yml says, as far as it matters here. Unknown members are an error, so that none is overlooked.
type compose struct {
	Services map[string]struct {
		Image       string
		Build       string
		Command     []string
		Environment map[string]string
		Secrets     []string
		Volumes     []string
		Ports       []string
		DependsOn   map[string]struct{ Condition string } `yaml:"depends_on"`
		Healthcheck struct {
			Test              []string
			Interval, Timeout string
			Retries           int
			StartPeriod       string `yaml:"start_period"`
		}
		ReadOnly bool `yaml:"read_only"`
		Restart  string
	}
	Secrets map[string]struct{ File string }
	Volumes map[string]any
}

// TestCompose: the image's build line builds, and what it builds runs as the image's unprivileged user with the compose file's
// environment, on a real PostgreSQL, after the one-shot migration, and calls itself healthy.
func TestCompose(t *testing.T) {
	t.Parallel()
	var file compose
	if err := yaml.UnmarshalWithOptions([]byte(readFile(t, "../docker-compose.yml")), &file, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	image := parseDockerfile(t, "../Dockerfile")
	checkCompose(t, file, image)

	dir := publicDir(t)
	program := buildImage(t, image, dir)
	secrets := writeSecrets(t, file, dir, onPostgres(t))
	as := func(cmd *exec.Cmd) {
		if os.Getuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: unprivileged, Gid: unprivileged}}
		}
	}
	migrate := file.Services["migrate"]
	runAs(t, as, dir, program, mapped(image.env, migrate.Environment, secrets), migrate.Command...)

	public, management := freeAddr(t), freeAddr(t)
	env := mapped(image.env, file.Services["signet"].Environment, secrets)
	env["SIGNET_LISTEN_ADDR"] = moved(t, env["SIGNET_LISTEN_ADDR"], "0.0.0.0:8080", public)
	env["SIGNET_MANAGEMENT_ADDR"] = moved(t, env["SIGNET_MANAGEMENT_ADDR"], "0.0.0.0:9000", management)
	node := &node{probes: "http://" + management, dir: dir, env: env, as: as, program: program, args: image.cmd, log: &logBuffer{}}
	t.Cleanup(node.kill)
	node.start(t)
	test := file.Services["signet"].Healthcheck.Test
	runAs(t, as, dir, program, env, test[2:]...)
	if body := get(t, "http://"+public+"/.well-known/openid-configuration", ""); !strings.Contains(body, `"issuer":"http://localhost:8080"`) {
		t.Errorf("the public listener answers %q", body)
	}
	node.kill()
	if out, err := asCommand(t, as, dir, program, env, test[2:]...).CombinedOutput(); err == nil {
		t.Errorf("a server that is gone calls itself healthy: %s", out)
	}
}

// checkCompose: what the two files say of each other fits.
func checkCompose(t *testing.T, file compose, image dockerfile) {
	t.Helper()
	server, migrate, database := file.Services["signet"], file.Services["migrate"], file.Services["postgres"]
	if server.DependsOn["migrate"].Condition != "service_completed_successfully" || migrate.DependsOn["postgres"].Condition != "service_healthy" {
		t.Error("the server must wait for the migration, and the migration for the database")
	}
	if len(database.Healthcheck.Test) == 0 || len(database.Volumes) != 1 || len(file.Volumes) != 1 {
		t.Error("the database needs a health check and one named volume")
	}
	if strings.Join(server.Healthcheck.Test, " ") != "CMD signet healthcheck" || strings.Join(image.healthcheck, " ") != "signet healthcheck" {
		t.Errorf("health checks: %q in the compose file, %q in the image", server.Healthcheck.Test, image.healthcheck)
	}
	if strings.Join(image.entrypoint, " ") != "signet" || strings.Join(image.cmd, " ") != "serve" {
		t.Errorf("the image starts %q %q", image.entrypoint, image.cmd)
	}
	if image.user != "65532:65532" {
		t.Errorf("the image runs as %q", image.user)
	}
	for name, service := range file.Services {
		for variable, value := range service.Environment {
			if secret := regexp.MustCompile(`(?i)password|secret|key|url_file`); secret.MatchString(variable) && !strings.HasPrefix(value, "/run/secrets/") {
				t.Errorf("%s: %s does not come as a file", name, variable)
			}
			if secret, ok := strings.CutPrefix(value, "/run/secrets/"); ok && file.Secrets[secret].File != "./secrets/"+secret {
				t.Errorf("%s: %s names a secret that is not there", name, variable)
			}
		}
	}
}

// publicDir is a temporary directory that every user may enter (t.TempDir is its owner's alone).
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "signet-compose-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// buildImage runs the image's build line; only its /out/ is elsewhere.
func buildImage(t *testing.T, image dockerfile, dir string) string {
	t.Helper()
	var line string
	for _, run := range image.run {
		if strings.Contains(run, "go build") {
			line = run
		}
	}
	if !strings.Contains(line, "CGO_ENABLED=0") || !strings.Contains(line, "-trimpath") || !strings.Contains(line, "/out/signet") {
		t.Fatalf("the build line is %q", line)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(line, "/out/", dir+"/"))
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	return filepath.Join(dir, "signet")
}

// writeSecrets makes the secrets as make secrets does, for the database of this test, and returns where they are.
func writeSecrets(t *testing.T, file compose, dir string, env settings) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "make", "--no-print-directory", "-C", "..", "secrets", "SECRETS="+filepath.Join(dir, "secrets"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make secrets: %v\n%s", err, out)
	}
	secrets := filepath.Join(dir, "secrets")
	for name := range file.Secrets {
		if strings.TrimSpace(readFile(t, filepath.Join(secrets, name))) == "" {
			t.Errorf("make secrets made no %s", name)
		}
	}
	address, err := url.Parse(strings.TrimSpace(readFile(t, filepath.Join(secrets, "database_url"))))
	if err != nil {
		t.Fatal(err)
	}
	word, _ := address.User.Password()
	if address.Host != "postgres:5432" || word != strings.TrimSpace(readFile(t, filepath.Join(secrets, "database_password"))) {
		t.Error("database_url does not lead to the compose file's PostgreSQL with its password")
	}
	if err := os.WriteFile(filepath.Join(secrets, "database_url"), []byte(env["SIGNET_DATABASE_URL"]+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	// On a host only the owner enters this folder; in a container each file is mounted by itself.
	if info, err := os.Stat(secrets); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the secrets is open to others: %v, %v", info.Mode(), err)
	}
	if err := os.Chmod(secrets, 0o755); err != nil {
		t.Fatal(err)
	}
	return secrets
}

// mapped is the environment of a container, with its secrets where they are here.
func mapped(image, service map[string]string, secrets string) settings {
	env := settings{}
	for _, from := range []map[string]string{image, service} {
		for name, value := range from {
			if name != "PATH" {
				value = regexp.MustCompile(`\$\{\w+:-([^}]*)\}`).ReplaceAllString(value, "$1")
				env[name] = strings.Replace(value, "/run/secrets", secrets, 1)
			}
		}
	}
	return env
}

// moved checks that a listener is on every address of its container, and puts it on a free port of this machine.
func moved(t *testing.T, have, want, addr string) string {
	t.Helper()
	if have != want {
		t.Errorf("listens on %q, want %q", have, want)
	}
	return "0.0.0.0:" + addr[strings.LastIndexByte(addr, ':')+1:]
}

func asCommand(t *testing.T, as func(*exec.Cmd), dir, program string, env settings, args ...string) *exec.Cmd {
	t.Helper()
	if len(args) > 0 && args[0] == "signet" {
		args = args[1:]
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, env.environ(dir)
	as(cmd)
	return cmd
}

func runAs(t *testing.T, as func(*exec.Cmd), dir, program string, env settings, args ...string) {
	t.Helper()
	if out, err := asCommand(t, as, dir, program, env, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

// dockerfile is what the instructions of the image say.
type dockerfile struct {
	run                          []string
	env                          map[string]string
	user                         string
	healthcheck, entrypoint, cmd []string
}

func parseDockerfile(t *testing.T, path string) dockerfile {
	t.Helper()
	d := dockerfile{env: map[string]string{}}
	list := func(text string) (words []string) {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			t.Fatalf("%s is not in the exec form: %v", text, err)
		}
		return words
	}
	for line := range strings.Lines(strings.ReplaceAll(readFile(t, path), "\\\n", " ")) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "RUN":
			d.run = append(d.run, rest)
		case "ENV":
			name, value, _ := strings.Cut(rest, "=")
			d.env[name] = value
		case "USER":
			d.user = rest
		case "ENTRYPOINT":
			d.entrypoint = list(rest)
		case "CMD":
			d.cmd = list(rest)
		case "HEALTHCHECK":
			_, after, _ := strings.Cut(rest, "CMD ")
			d.healthcheck = list(after)
		}
	}
	return d
}
