package seeds

import _ "embed"

// NoticeVersion is the version of the information notice that ships. Whoever changes the
// text gives it another one.
const NoticeVersion = "vigie-1"

var (
	//go:embed notice.md
	notice string
	//go:embed notice-easy.md
	noticeEasy string
)

// Notice is the information notice for patients in Markdown, to be adapted by the team: in
// French, or in easy French (« facile à lire et à comprendre »). Its six headings are those
// that the French national guides ask for: security, access, practical matters, right to
// refuse and what there is instead, costs, satisfaction and faults.
func Notice(easy bool) string {
	if easy {
		return noticeEasy
	}
	return notice
}
