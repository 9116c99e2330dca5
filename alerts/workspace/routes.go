package workspace

import (
	"net/http"
	"net/url"

	"vigie/alerts/access"
)

// door says how a route lets people in.
type door int

// The doors.
const (
	open    door = iota // everybody who reaches the port
	program             // a token or a session; refusals are problems
	person              // a session; who has none is led to the login
	himself             // the key of a patient and his date of birth, for himself alone
)

// route is one line of the table of routes.
type route struct {
	Pattern string // method and path, as http.ServeMux has them
	Door    door
	Needs   access.Right // to get in at all; what concerns one patient is asked again, see records
	serve   http.HandlerFunc
}

// routes is the one table of what is served. Tests walk it: every role against every
// route.
func (w *Workspace) routes() []route {
	list := []route{
		{"GET /healthz", open, "", w.health},

		{"GET /api/v1/alerts", program, access.SeePatients, w.listAlerts},
		{"GET /api/v1/alerts/{id}", program, access.SeePatients, w.showAlert},
		{"POST /api/v1/alerts/{id}/{act}", program, access.Act, w.actOnAlert},
		{"GET /api/v1/worklist", program, access.SeePatients, w.worklist},
		{"POST /api/v1/handovers", program, access.Act, w.handOn},
		{"GET /api/v1/messages/undelivered", program, access.SeePatients, w.undelivered},
		{"GET /api/v1/patients/{id}/readings", program, access.SeePatients, w.readings},
		{"POST /api/v1/readings/import", program, access.EnterReadings, w.importReadings},
		{"POST /api/v1/readings/strike", program, access.EnterReadings, w.strikeReadings(false)},
		{"POST /api/v1/readings/unstrike", program, access.EnterReadings, w.strikeReadings(true)},
		{"POST /api/v1/readings/rehome", program, access.EnterReadings, w.rehomeReadings},
		{"GET /api/v1/stream", program, access.SeePatients, w.stream},
		{"GET /api/v1/openapi.json", open, "", w.showOpenAPI},
		{"/api/", program, "", w.noSuchPath},

		{"GET /assets/{name}", open, "", w.asset},
		{"GET " + manifestPath, open, "", w.showManifest},
		{"GET /login", open, "", w.showLogin},
		{"POST /login", open, "", w.login},
		{"GET /login/code", open, "", w.showCode},
		{"POST /login/code", open, "", w.enterCode},
		{"POST /login/code/ask", open, "", w.askFactor},
		{"POST /login/passkey", open, "", w.signIn},
		{"POST /login/passkey/ask", open, "", w.askSignIn},
		{"POST /logout", open, "", w.logout},
		{"GET /welcome", open, "", w.showWelcome},
		{"POST /welcome", open, "", w.choosePassword},

		{"GET /mine", himself, "", w.ownPage},
		{"POST /mine", himself, "", w.ownForm},
		{"POST /mine/open", open, "", w.openOwn},
		{"POST /mine/close", open, "", w.closeOwn},
		{"GET /patients/{id}/own", person, access.EnterReadings, w.ownKeyPage},
		{"POST /patients/{id}/own", person, access.EnterReadings, w.ownKeyForm},

		{"GET /glass", person, access.SeePatients, w.glassPage},
		{"POST /glass", person, access.BreakGlass, w.breakGlass},
		{"GET /account", person, "", w.accountPage},
		{"POST /account/password", person, "", w.changePassword},
		{"POST /account/passkeys/{act}", person, "", w.passkeyForm},
		{"POST /account/sessions/end", person, "", w.endSessions},
		{"GET /accounts", person, access.ManageAccounts, w.accountsPage},
		{"POST /accounts", person, access.ManageAccounts, w.addAccount},
		{"GET /accounts/{id}", person, access.ManageAccounts, w.accountEditPage},
		{"POST /accounts/{id}/{act}", person, access.ManageAccounts, w.accountForm},
		{"GET /tokens", person, access.ManageAccounts, w.tokensPage},
		{"GET /{$}", person, "", w.home},
		{"GET /alerts", person, access.SeePatients, w.listPage},
		{"GET /alerts/{id}", person, access.SeePatients, w.alertPage},
		{"GET /patients/{id}", person, access.SeePatients, w.patientPage},
		{"GET /patients/{id}/summary", person, access.SeePatients, w.summaryPage},
		{"GET /patients/{id}/enter", person, access.EnterReadings, w.enterPage},
		{"POST /patients/{id}/enter", person, access.EnterReadings, w.enterForm},
		{"GET /patients/{id}/strike", person, access.EnterReadings, w.strikePage},
		{"POST /patients/{id}/strike", person, access.EnterReadings, w.strikeForm},
		{"POST /alerts/{id}/acknowledge", person, access.Act, w.acknowledgeForm},
		{"POST /alerts/{id}/resolve", person, access.Act, w.resolveForm},
		{"POST /alerts/{id}/note", person, access.Act, w.actForm("note")},
		{"POST /alerts/{id}/call-back", person, access.Act, w.actForm("call-back")},
		{"POST /alerts/{id}/release", person, access.Act, w.actForm("release")},
		{"POST /alerts/{id}/assign", person, access.Act, w.actForm("assign")},
		{"POST /alerts/{id}/transfer", person, access.Act, w.actForm("transfer")},
		{"POST /alerts/{id}/snooze", person, access.Act, w.actForm("snooze")},
		{"POST /handovers", person, access.Act, w.handOnForm},
		{"POST /alerts/{id}/undo", person, access.Act, w.actForm("undo")},
		{"GET /alerts/{id}/{act}", open, "", backToAlert},
		{"/", person, "", func(rw http.ResponseWriter, r *http.Request) { w.failPage(rw, r, errNoPath) }},
	}
	if w.Change != nil && w.Enrolments != nil && w.Protocol != nil {
		list = append(list, w.registryRoutes()...)
		list = append(list,
			route{"GET /enrolments/{id}", person, access.SeePatients, w.enrolmentPage},
			route{"POST /enrolments/{id}/{step}", person, access.SeePatients, w.enrolmentForm},
			route{"GET /patients/{id}/identity", person, access.SeeIdentity, w.identityPage},
			route{"POST /patients/{id}/identity", person, access.Enrol, w.identityForm},
			route{"GET /patients/{id}/merge", person, access.Enrol, w.mergePage},
			route{"POST /patients/{id}/merge", person, access.Enrol, w.mergeForm},
		)
		if w.Library != nil {
			list = append(list,
				route{"GET /enrol", person, access.Enrol, w.enrolPage},
				route{"POST /enrol", person, access.Enrol, w.enrolForm},
				route{"GET /patients/{id}/enrol", person, access.Enrol, w.enrolPage},
				route{"POST /patients/{id}/enrol", person, access.Enrol, w.enrolForm},
			)
		}
	}
	if w.Accounts.Elsewhere() != "" {
		list = append(list,
			route{"POST /login/openid", open, "", w.goElsewhere},
			route{"GET " + ComeBack, open, "", w.comeBack},
			route{"GET /login/openid/place", open, "", w.showPlaces},
			route{"POST /login/openid/place", open, "", w.choosePlace},
		)
	}
	if w.canPush() {
		list = append(list,
			route{"GET /push-worker.js", open, "", w.pushWorker},
			route{"POST /account/device", person, "", w.subscribeForm},
		)
	}
	if w.Duty != nil {
		list = append(list, route{"GET /api/v1/teams/{id}/duty", program, access.SeePatients, w.duty})
	}
	if w.Change != nil && w.Duty != nil {
		list = append(list,
			route{"GET /team", person, access.SeePatients, w.teamPage},
			route{"POST /team/override", person, access.ManageTeam, w.overrideForm},
			route{"POST /team/shift", person, access.ManageTeam, w.shiftForm},
		)
	}
	if w.Aside != nil {
		list = append(list,
			route{"GET /set-aside", person, access.SeeDevices, w.asidePage},
			route{"POST /set-aside/{id}/retry", person, access.EnterReadings, w.asideForm(w.tryAgain)},
			route{"POST /set-aside/{id}/dismiss", person, access.EnterReadings, w.asideForm(w.dismiss)},
		)
	}
	if w.Statuses != nil && w.Device != nil {
		list = append(list, route{"GET /devices", person, access.SeeDevices, w.devicesPage})
	}
	if w.canStrikeWide() {
		list = append(list,
			route{"GET /devices/{id}/strike", person, access.EnterReadings, w.widePage},
			route{"POST /devices/{id}/strike", person, access.EnterReadings, w.wideForm},
		)
	}
	if w.Reviews != nil {
		list = append(list,
			route{"GET /api/v1/patients/{id}/reviews", program, access.SeePatients, w.listReviews},
			route{"POST /api/v1/patients/{id}/reviews", program, access.Act, w.actReview(w.review)},
			route{"POST /api/v1/patients/{id}/reviews/undo", program, access.Act, w.actReview(w.undoReview)},
			route{"POST /patients/{id}/review", person, access.Act, w.reviewForm(w.review, "reviewed")},
			route{"POST /patients/{id}/review/undo", person, access.Act, w.reviewForm(w.undoReview, "review-undone")},
		)
	}
	if w.Traces != nil {
		list = append(list,
			route{"GET /trail", person, access.SeeTrail, w.trailPage},
			route{"GET /patients/{id}/accesses", person, access.EnterReadings, w.accessesPage},
			route{"GET /mine/accesses", himself, "", w.ownAccessesPage},
		)
	}
	if w.Retained != nil && w.Erase != nil {
		list = append(list,
			route{"POST /api/v1/patients/{id}/erase", program, access.ManageAccounts, w.erasePatient},
			route{"GET /retention", person, access.ManageAccounts, w.retentionPage},
			route{"POST /retention/erase", person, access.ManageAccounts, w.eraseForm},
		)
	}
	if w.Looks != nil {
		list = append(list, route{"POST /team/told", person, access.EnterReadings, w.toldForm})
	}
	if w.Figures != nil {
		list = append(list,
			route{"GET /api/v1/figures", program, access.SeeFigures, w.figuresAnswer},
			route{"GET /figures", person, access.SeeFigures, w.figuresPage},
		)
	}
	if !w.Apart {
		list = append(list, w.operatorRoutes()...)
	}
	return list
}

// operatorRoutes are what the operator watches.
func (w *Workspace) operatorRoutes() []route {
	list := []route{
		{"GET /readyz", open, "", w.ready},
		{"GET /status", open, "", w.status},
	}
	if w.Options.Metrics != nil {
		list = append(list, route{"GET /metrics", open, "", w.Options.Metrics.ServeHTTP})
	}
	return list
}

// handler serves the table.
func (w *Workspace) handlerOf(routes []route) http.Handler {
	mux := http.NewServeMux()
	w.needs = map[string]access.Right{}
	for _, r := range routes {
		serve := r.serve
		switch r.Door {
		case program:
			serve = w.program(r.Needs, serve)
		case person:
			serve = w.person(r.Needs, serve)
		case himself:
			serve = w.own(serve)
		}
		mux.HandleFunc(r.Pattern, serve)
		w.needs[r.Pattern] = r.Needs
		w.metrics.exists(r.Pattern)
	}
	protection := http.NewCrossOriginProtection()
	protection.SetDenyHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { w.fail(rw, r, errCrossOrigin) }))
	return w.observed(w.timed(w.guarded(protection.Handler(mux))))
}

// home is the worklist; who sees no patients finds their own page.
func (w *Workspace) home(rw http.ResponseWriter, r *http.Request) {
	if !access.From(r.Context()).May(access.SeePatients) {
		http.Redirect(rw, r, "/account", http.StatusSeeOther)
		return
	}
	w.deskPage(rw, r)
}

// backToAlert answers at the address that a form was sent to: loading the page of a
// form that was refused leads back to the alert.
func backToAlert(rw http.ResponseWriter, r *http.Request) {
	again := "/alerts/" + url.PathEscape(r.PathValue("id"))
	if asked := r.URL.Query().Get("lang"); isSpoken(asked) {
		again += "?lang=" + asked
	}
	http.Redirect(rw, r, again, http.StatusSeeOther)
}
