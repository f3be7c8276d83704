package runtime

import (
	"os"
	"path/filepath"
	"testing"
)

// TestPackageVersion reads what installers leave, of the very package that was
// asked for.
func TestPackageVersion(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	site := filepath.Join(root, "lib", "python3.12", "site-packages")
	for _, dir := range []string{"bin", "lib/python3.12/site-packages/parsl-2026.10.26.dist-info", "lib/python3.12/site-packages/parsl_extra-1.0.dist-info", "lib/python3.12/site-packages/Globus_Compute_SDK-4.19.0-py3.12.egg-info"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(root, "bin", Program)
	for path, text := range map[string]string{filepath.Join(root, "pyvenv.cfg"): "", filepath.Join(root, "bin", "python3.12"): "#!/bin/sh\n", program: "#!" + root + "/bin/python3.12\n", filepath.Join(root, "bin", "other"): "#!/bin/sh\n"} {
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"parsl": "2026.10.26", "parsl-extra": "1.0", "globus-compute-sdk": "4.19.0", "globus.compute.sdk": "", "pars": "", "dill": ""} {
		if got := PackageVersion(program, name, ""); got != want {
			t.Errorf("%s in %s: %q, want %q", name, site, got, want)
		}
	}
	for _, path := range []string{filepath.Join(root, "bin", "other"), filepath.Join(root, "nothing")} {
		if got := PackageVersion(path, "parsl", ""); got != "" {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func TestParseDistInfo(t *testing.T) {
	t.Parallel()
	for directory, want := range map[string]string{
		"globus_compute_endpoint-4.19.0.dist-info":        "4.19.0",
		"Globus.Compute-Endpoint-4.19.0a1.dist-info":      "4.19.0a1",
		"globus_compute_endpoint-4.19.0+local.1.egg-info": "4.19.0+local.1",
		"globus_compute_endpoint-4.19.0-py3.egg-info":     "4.19.0",
		"globus_compute_endpoint-4.19.0-py3.12.egg-info":  "4.19.0",
		"globus_compute_endpoint-4.19.0-py2.7.egg-info":   "",
		"globus_compute_endpoint-4.19.0-3.12.egg-info":    "",
		"globus_compute_endpoint-4.19.0-1.dist-info":      "",
		"globus_compute_endpoint-.dist-info":              "",
		"globus_compute_endpoint-x4.dist-info":            "",
		"globus_compute_endpoint-4 .dist-info":            "",
		"globus_compute_endpoint-４.dist-info":             "",
		"globus_compute_endpoint-4.19.0":                  "",
		"globus_compute_endpoint.dist-info":               "",
		"globus_compute_sdk-4.19.0.dist-info":             "",
		"globus_compute_endpoint_extra-4.19.0.dist-info":  "",
		"xglobus_compute_endpoint-4.19.0.dist-info":       "",
		"globuscomputeendpoint-4.19.0.dist-info":          "",
	} {
		if got := parseDistInfo(directory, "globus-compute-endpoint"); got != want {
			t.Errorf("%s: %q, want %q", directory, got, want)
		}
	}
}
