package registry

import (
	"encoding/base64"
	"testing"
)

func TestKeyOfAnINS(t *testing.T) {
	for matricule, want := range map[string]string{
		"2770763220829": "10", // a synthetic NIR of the interoperability framework's kind
		"177072A004123": "92", // Corse-du-Sud: 2A counts as 19
		"280022B033007": "58", // Haute-Corse: 2B counts as 18
	} {
		key, ok := INSKey(matricule)
		if !ok || key != want {
			t.Errorf("the key of %s is %q, want %q", matricule, key, want)
		}
		if !validINS(matricule + key) {
			t.Errorf("%s with its own key is refused", matricule)
		}
	}
	for _, bad := range []string{"", "277076322082", "27707632208291", "2770763220829a", "177072C004123", "2A70763220829", "-770763220829"} {
		if key, ok := INSKey(bad); ok {
			t.Errorf("%q has the key %s, but is no INS", bad, key)
		}
	}
}

func TestEveryWrongDigitOfAnINSIsFound(t *testing.T) {
	const right = "277076322082910"
	for i := range right {
		for digit := byte('0'); digit <= '9'; digit++ {
			wrong := right[:i] + string(digit) + right[i+1:]
			if wrong != right && validINS(wrong) {
				t.Errorf("%s passes for %s", wrong, right)
			}
		}
	}
}

func TestRPPSHasACheckDigit(t *testing.T) {
	if !validRPPS("10001234565") {
		t.Error("a right number is refused")
	}
	for _, wrong := range []string{"10001234566", "1000123456", "100012345651", "1000123456a", ""} {
		if validRPPS(wrong) {
			t.Errorf("%q passes for an RPPS number", wrong)
		}
	}
}

func TestSecretsOpenWithTheirPasswordOnly(t *testing.T) {
	password := NewPassword()
	if other := NewPassword(); len(password) != 43 || other == password {
		t.Errorf("passwords %q and %q", password, other)
	}
	secret := HashSecret(password)
	if secret == HashSecret(password) {
		t.Error("two devices with one password have one secret: it is not salted")
	}
	if !CheckSecret(secret, password) || CheckSecret(secret, password+"x") || CheckSecret(secret, "") {
		t.Error("the secret does not tell its password from others")
	}
	// Of an earlier Vigie, which still opens.
	if former := "sha256$c2FsdA$" + base64.RawStdEncoding.EncodeToString(salted([]byte("salt"), password)); !CheckSecret(former, password) || CheckSecret(former, password+"x") {
		t.Error("a secret of an earlier Vigie does not tell its password from others")
	}
	for _, damaged := range []string{"", "$$", "sha256$", "sha256$$", "$7$1$", "$7$1$$", secret[:len(secret)-1], "$6$" + secret[5:], password} {
		if CheckSecret(damaged, password) || CheckSecret(damaged, "") {
			t.Errorf("the damaged secret %q opens", damaged)
		}
	}
}

func TestDeviceKeepsItsSecretUntilItGetsAPassword(t *testing.T) {
	stored := Device{Name: "scale-1", Secret: HashSecret("the first long password")}
	for name, c := range map[string]struct {
		given Device
		opens string // what opens it afterwards; empty for a generated one
	}{
		"nothing given":          {Device{}, "the first long password"},
		"the same password":      {Device{Password: "the first long password"}, "the first long password"},
		"another password":       {Device{Password: "the other long password"}, "the other long password"},
		"the secret of a backup": {Device{Secret: HashSecret("from the backup")}, "from the backup"},
	} {
		d := c.given
		if generated := d.ChooseSecret(&stored); generated != "" {
			t.Errorf("%s: a password was generated over the one it has", name)
		}
		if !CheckSecret(d.Secret, c.opens) || d.Password != "" {
			t.Errorf("%s: %q does not open it, or its password is still there", name, c.opens)
		}
	}
	same := Device{Password: "the first long password"}
	if same.ChooseSecret(&stored); same.Secret != stored.Secret {
		t.Error("the same password made another secret: importing again would be a change")
	}
	var fresh Device
	if generated := fresh.ChooseSecret(nil); !CheckSecret(fresh.Secret, generated) {
		t.Error("the generated password does not open the new device")
	}
}
