// Code generated from measures.yaml by go test ./protocols/library -update; DO NOT EDIT.

package protocols

// shipped are the measures of measures.yaml.
func shipped() []*Measure {
	return []*Measure{
		{ID: "blood-pressure", Title: Text{FR: "pression artérielle", EN: "blood pressure"}, LOINC: "85354-9", Components: []Component{
			{Name: "systolic", Title: Text{FR: "systolique", EN: "systolic"}, LOINC: "8480-6", Unit: "mm[Hg]", Low: 40000, High: 300000},
			{Name: "diastolic", Title: Text{FR: "diastolique", EN: "diastolic"}, LOINC: "8462-4", Unit: "mm[Hg]", Low: 20000, High: 200000},
			{Name: "mean", Title: Text{FR: "pression moyenne", EN: "mean pressure"}, LOINC: "8478-0", Unit: "mm[Hg]", Optional: true, Low: 25000, High: 250000},
			{Name: "pulse", Title: Text{FR: "pouls", EN: "pulse"}, LOINC: "8867-4", Unit: "/min", Own: true, Optional: true, Low: 20000, High: 300000},
		}},
		{ID: "heart-rate", Title: Text{FR: "fréquence cardiaque", EN: "heart rate"}, LOINC: "8867-4", Components: []Component{
			{Name: "value", Title: Text{FR: "fréquence cardiaque", EN: "heart rate"}, LOINC: "8867-4", Unit: "/min", Low: 20000, High: 300000},
		}},
		{ID: "oxygen-saturation", Title: Text{FR: "saturation en oxygène", EN: "oxygen saturation"}, LOINC: "2708-6", Components: []Component{
			{Name: "value", Title: Text{FR: "saturation en oxygène", EN: "oxygen saturation"}, LOINC: "2708-6", Unit: "%", Low: 40000, High: 100000},
		}},
		{ID: "glucose", Title: Text{FR: "glucose", EN: "glucose"}, LOINC: "2345-7", Variants: []string{"capillary", "interstitial"}, Components: []Component{
			{Name: "value", Title: Text{FR: "glucose", EN: "glucose"}, LOINC: "2345-7", Unit: "mg/dL", Low: 20000, High: 600000, Units: []Scale{{Unit: "mmol/L", Factor: "18.0156"}, {Unit: "g/L", Factor: "100"}}},
		}},
		{ID: "weight", Title: Text{FR: "poids", EN: "body weight"}, LOINC: "29463-7", Components: []Component{
			{Name: "value", Title: Text{FR: "poids", EN: "body weight"}, LOINC: "29463-7", Unit: "kg", Decimals: 1, Low: 2000, High: 400000},
		}},
		{ID: "temperature", Title: Text{FR: "température", EN: "body temperature"}, LOINC: "8310-5", Components: []Component{
			{Name: "value", Title: Text{FR: "température", EN: "body temperature"}, LOINC: "8310-5", Unit: "Cel", Decimals: 1, Low: 25000, High: 45000},
		}},
		{ID: "respiratory-rate", Title: Text{FR: "fréquence respiratoire", EN: "respiratory rate"}, LOINC: "9279-1", Components: []Component{
			{Name: "value", Title: Text{FR: "fréquence respiratoire", EN: "respiratory rate"}, LOINC: "9279-1", Unit: "/min", Low: 2000, High: 80000},
		}},
		{ID: "ventilation", Title: Text{FR: "ventilation", EN: "ventilation"}, Components: []Component{
			{Name: "hours", Title: Text{FR: "durée d'utilisation", EN: "hours of use"}, Unit: "h", Decimals: 1, High: 24000},
			{Name: "leak", Title: Text{FR: "fuite", EN: "leak"}, Unit: "L/min", Own: true, Optional: true, High: 200000},
			{Name: "respiratory-rate", Title: Text{FR: "fréquence respiratoire", EN: "respiratory rate"}, LOINC: "9279-1", Unit: "/min", Own: true, Optional: true, Low: 2000, High: 80000},
		}},
		{ID: "oxygen-therapy", Title: Text{FR: "oxygénothérapie", EN: "oxygen therapy"}, Components: []Component{
			{Name: "hours", Title: Text{FR: "durée d'utilisation", EN: "hours of use"}, Unit: "h", Decimals: 1, High: 24000},
			{Name: "flow", Title: Text{FR: "débit", EN: "flow"}, LOINC: "3151-8", Unit: "L/min", Own: true, Optional: true, Decimals: 1, High: 60000},
		}},
		{ID: "peak-flow", Title: Text{FR: "débit expiratoire de pointe", EN: "peak expiratory flow"}, LOINC: "33452-4", Components: []Component{
			{Name: "value", Title: Text{FR: "débit expiratoire de pointe", EN: "peak expiratory flow"}, LOINC: "33452-4", Unit: "L/min", Low: 20000, High: 1000000},
		}},
		{ID: "fev1", Title: Text{FR: "VEMS", EN: "FEV1"}, LOINC: "20150-9", Components: []Component{
			{Name: "value", Title: Text{FR: "VEMS", EN: "FEV1"}, LOINC: "20150-9", Unit: "L", Decimals: 2, Low: 100, High: 10000},
		}},
		{ID: "pill-dispenser", Title: Text{FR: "pilulier", EN: "pill dispenser"}, Components: []Component{
			{Name: "taken", Title: Text{FR: "dose prise", EN: "dose taken"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
			{Name: "missed", Title: Text{FR: "dose oubliée", EN: "dose missed"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
		}, Occurs: true},
		{ID: "symptom", Title: Text{FR: "symptômes", EN: "symptoms"}, Components: []Component{
			{Name: "breathlessness", Title: Text{FR: "essoufflement", EN: "breathlessness"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "à l'effort", EN: "on effort"}, {FR: "au moindre effort", EN: "on the least effort"}, {FR: "au repos", EN: "at rest"}}},
			{Name: "oedema", Title: Text{FR: "œdèmes", EN: "oedema"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "chevilles", EN: "ankles"}, {FR: "mollets", EN: "calves"}, {FR: "genoux et au-dessus", EN: "knees and above"}}},
			{Name: "fatigue", Title: Text{FR: "fatigue", EN: "fatigue"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "légère", EN: "mild"}, {FR: "gêne les activités", EN: "hinders activities"}, {FR: "empêche les activités", EN: "prevents activities"}}},
			{Name: "cough", Title: Text{FR: "toux", EN: "cough"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "de temps en temps", EN: "now and then"}, {FR: "souvent", EN: "often"}, {FR: "empêche de dormir", EN: "prevents sleep"}}},
			{Name: "sputum", Title: Text{FR: "crachats", EN: "sputum"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "un peu", EN: "some"}, {FR: "beaucoup", EN: "much"}, {FR: "beaucoup, verts ou avec du sang", EN: "much, green or with blood"}}},
			{Name: "dizziness", Title: Text{FR: "vertiges", EN: "dizziness"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "en se levant", EN: "on standing up"}, {FR: "souvent", EN: "often"}, {FR: "avec chute ou malaise", EN: "with a fall or a faint"}}},
			{Name: "chest-pain", Title: Text{FR: "douleur thoracique", EN: "chest pain"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "à l'effort, passe vite", EN: "on effort, passes quickly"}, {FR: "au moindre effort", EN: "on the least effort"}, {FR: "au repos, ou qui dure", EN: "at rest, or lasting"}}},
			{Name: "orthopnoea", Title: Text{FR: "gêne en position couchée", EN: "orthopnoea"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "un oreiller de plus", EN: "one more pillow"}, {FR: "deux oreillers ou plus", EN: "two pillows or more"}, {FR: "dort assis", EN: "sleeps sitting"}}},
		}},
		{ID: "dialysis-session", Title: Text{FR: "séance de dialyse", EN: "dialysis session"}, Components: []Component{
			{Name: "weight-start", Title: Text{FR: "poids au début", EN: "weight at the start"}, LOINC: "29463-7", Unit: "kg", Decimals: 1, Low: 2000, High: 400000},
			{Name: "dry-weight", Title: Text{FR: "poids sec", EN: "dry weight"}, Unit: "kg", Decimals: 1, Low: 2000, High: 400000},
			{Name: "weight-end", Title: Text{FR: "poids à la fin", EN: "weight at the end"}, LOINC: "29463-7", Unit: "kg", Decimals: 1, Low: 2000, High: 400000},
			{Name: "systolic-start", Title: Text{FR: "systolique au début", EN: "systolic at the start"}, LOINC: "8480-6", Unit: "mm[Hg]", Own: true, Optional: true, Low: 40000, High: 300000},
			{Name: "diastolic-start", Title: Text{FR: "diastolique au début", EN: "diastolic at the start"}, LOINC: "8462-4", Unit: "mm[Hg]", Own: true, Optional: true, Low: 20000, High: 200000},
			{Name: "heart-rate-start", Title: Text{FR: "pouls au début", EN: "heart rate at the start"}, LOINC: "8867-4", Unit: "/min", Own: true, Optional: true, Low: 20000, High: 300000},
			{Name: "systolic-lowest", Title: Text{FR: "systolique la plus basse en séance", EN: "lowest systolic during the session"}, LOINC: "8480-6", Unit: "mm[Hg]", Own: true, Optional: true, Low: 40000, High: 300000},
			{Name: "ultrafiltration-rate", Title: Text{FR: "débit d'ultrafiltration", EN: "ultrafiltration rate"}, Unit: "mL/h", Own: true, Optional: true, High: 5000000},
			{Name: "arterial-pressure", Title: Text{FR: "pression artérielle du circuit", EN: "arterial line pressure"}, Unit: "mm[Hg]", Own: true, Optional: true, Low: -500000, High: 500000},
			{Name: "venous-pressure", Title: Text{FR: "pression veineuse du circuit", EN: "venous line pressure"}, Unit: "mm[Hg]", Own: true, Optional: true, Low: -100000, High: 600000},
			{Name: "systolic-end", Title: Text{FR: "systolique à la fin", EN: "systolic at the end"}, LOINC: "8480-6", Unit: "mm[Hg]", Own: true, Optional: true, Low: 40000, High: 300000},
			{Name: "diastolic-end", Title: Text{FR: "diastolique à la fin", EN: "diastolic at the end"}, LOINC: "8462-4", Unit: "mm[Hg]", Own: true, Optional: true, Low: 20000, High: 200000},
			{Name: "heart-rate-end", Title: Text{FR: "pouls à la fin", EN: "heart rate at the end"}, LOINC: "8867-4", Unit: "/min", Own: true, Optional: true, Low: 20000, High: 300000},
			{Name: "compression-time", Title: Text{FR: "temps de compression", EN: "compression time"}, Unit: "min", Own: true, Optional: true, High: 240000},
		}, Sessions: true},
		{ID: "implant", Title: Text{FR: "implant cardiaque", EN: "cardiac implant"}, Components: []Component{
			{Name: "transmission", Title: Text{FR: "transmission programmée", EN: "scheduled transmission"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
			{Name: "red", Title: Text{FR: "alerte rouge du fabricant", EN: "vendor red alert"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
			{Name: "yellow", Title: Text{FR: "alerte jaune du fabricant", EN: "vendor yellow alert"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
			{Name: "shock", Title: Text{FR: "choc délivré", EN: "shock delivered"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
			{Name: "battery", Title: Text{FR: "batterie de l'implant", EN: "implant battery"}, Unit: "%", Own: true, Optional: true, High: 100000},
			{Name: "lead-impedance", Title: Text{FR: "impédance de sonde", EN: "lead impedance"}, Unit: "Ohm", Own: true, Optional: true, High: 5000000},
		}, Occurs: true},
		{ID: "creatinine", Title: Text{FR: "créatinine", EN: "creatinine"}, LOINC: "14682-9", Components: []Component{
			{Name: "value", Title: Text{FR: "créatinine", EN: "creatinine"}, LOINC: "14682-9", Unit: "umol/L", Low: 10000, High: 3000000, Units: []Scale{{Unit: "mg/L", Factor: "1000/113.12"}}},
		}},
		{ID: "potassium", Title: Text{FR: "potassium", EN: "potassium"}, LOINC: "6298-4", Components: []Component{
			{Name: "value", Title: Text{FR: "potassium", EN: "potassium"}, LOINC: "6298-4", Unit: "mmol/L", Decimals: 1, Low: 1000, High: 12000},
		}},
		{ID: "insulin-dose", Title: Text{FR: "dose d'insuline", EN: "insulin dose"}, Variants: []string{"basal", "bolus"}, Components: []Component{
			{Name: "value", Title: Text{FR: "dose d'insuline", EN: "insulin dose"}, Unit: "[iU]", Decimals: 1, High: 300000},
		}, Occurs: true},
		{ID: "sodium", Title: Text{FR: "sodium", EN: "sodium"}, LOINC: "2951-2", Components: []Component{
			{Name: "value", Title: Text{FR: "sodium", EN: "sodium"}, LOINC: "2951-2", Unit: "mmol/L", Low: 80000, High: 200000},
		}},
		{ID: "bicarbonate", Title: Text{FR: "bicarbonate", EN: "bicarbonate"}, LOINC: "1963-8", Components: []Component{
			{Name: "value", Title: Text{FR: "bicarbonate", EN: "bicarbonate"}, LOINC: "1963-8", Unit: "mmol/L", Low: 1000, High: 60000},
		}},
		{ID: "haemoglobin", Title: Text{FR: "hémoglobine", EN: "haemoglobin"}, LOINC: "718-7", Components: []Component{
			{Name: "value", Title: Text{FR: "hémoglobine", EN: "haemoglobin"}, LOINC: "718-7", Unit: "g/dL", Decimals: 1, Low: 1000, High: 30000, Units: []Scale{{Unit: "g/L", Factor: "1/10"}}},
		}},
		{ID: "leucocytes", Title: Text{FR: "leucocytes", EN: "leucocytes"}, LOINC: "6690-2", Components: []Component{
			{Name: "value", Title: Text{FR: "leucocytes", EN: "leucocytes"}, LOINC: "6690-2", Unit: "10*9/L", Decimals: 1, High: 1000000},
		}},
		{ID: "neutrophils", Title: Text{FR: "neutrophiles", EN: "neutrophils"}, LOINC: "751-8", Components: []Component{
			{Name: "value", Title: Text{FR: "neutrophiles", EN: "neutrophils"}, LOINC: "751-8", Unit: "10*9/L", Decimals: 1, High: 500000},
		}},
		{ID: "platelets", Title: Text{FR: "plaquettes", EN: "platelets"}, LOINC: "777-3", Components: []Component{
			{Name: "value", Title: Text{FR: "plaquettes", EN: "platelets"}, LOINC: "777-3", Unit: "10*9/L", High: 5000000},
		}},
		{ID: "hba1c", Title: Text{FR: "HbA1c", EN: "HbA1c"}, LOINC: "4548-4", Components: []Component{
			{Name: "value", Title: Text{FR: "HbA1c", EN: "HbA1c"}, LOINC: "4548-4", Unit: "%", Decimals: 1, Low: 2000, High: 25000},
		}},
		{ID: "inr", Title: Text{FR: "INR", EN: "INR"}, LOINC: "6301-6", Components: []Component{
			{Name: "value", Title: Text{FR: "INR", EN: "INR"}, LOINC: "6301-6", Unit: "1", Decimals: 1, Low: 500, High: 20000},
		}},
		{ID: "albuminuria", Title: Text{FR: "albuminurie sur créatininurie", EN: "urine albumin to creatinine"}, LOINC: "9318-7", Components: []Component{
			{Name: "value", Title: Text{FR: "albuminurie sur créatininurie", EN: "urine albumin to creatinine"}, LOINC: "9318-7", Unit: "mg/g", High: 20000000},
		}},
		{ID: "proteinuria", Title: Text{FR: "protéinurie sur créatininurie", EN: "urine protein to creatinine"}, LOINC: "2890-2", Components: []Component{
			{Name: "value", Title: Text{FR: "protéinurie sur créatininurie", EN: "urine protein to creatinine"}, LOINC: "2890-2", Unit: "mg/g", High: 50000000},
		}},
		{ID: "immunosuppressant", Title: Text{FR: "taux d'immunosuppresseur", EN: "immunosuppressant level"}, Variants: []string{"tacrolimus", "ciclosporin", "sirolimus", "everolimus"}, Components: []Component{
			{Name: "value", Title: Text{FR: "taux d'immunosuppresseur", EN: "immunosuppressant level"}, Unit: "ug/L", Decimals: 1, High: 3000000},
		}},
		{ID: "nt-probnp", Title: Text{FR: "NT-proBNP", EN: "NT-proBNP"}, LOINC: "33762-6", Components: []Component{
			{Name: "value", Title: Text{FR: "NT-proBNP", EN: "NT-proBNP"}, LOINC: "33762-6", Unit: "pg/mL", Low: 1000, High: 200000000, Units: []Scale{{Unit: "ng/L", Factor: "1"}}},
		}},
		{ID: "ketones", Title: Text{FR: "cétonémie", EN: "blood ketones"}, LOINC: "53061-8", Components: []Component{
			{Name: "value", Title: Text{FR: "cétonémie", EN: "blood ketones"}, LOINC: "53061-8", Unit: "mmol/L", Decimals: 1, High: 20000},
		}},
		{ID: "fvc", Title: Text{FR: "CVF", EN: "FVC"}, LOINC: "19868-9", Components: []Component{
			{Name: "value", Title: Text{FR: "CVF", EN: "FVC"}, LOINC: "19868-9", Unit: "L", Decimals: 2, Low: 100, High: 10000},
		}},
		{ID: "apnoea-index", Title: Text{FR: "index d'apnées et d'hypopnées", EN: "apnoea and hypopnoea index"}, Components: []Component{
			{Name: "value", Title: Text{FR: "index d'apnées et d'hypopnées", EN: "apnoea and hypopnoea index"}, Unit: "/h", Decimals: 1, High: 200000},
		}},
		{ID: "steps", Title: Text{FR: "pas du jour", EN: "steps of the day"}, LOINC: "41950-7", Components: []Component{
			{Name: "value", Title: Text{FR: "pas du jour", EN: "steps of the day"}, LOINC: "41950-7", Unit: "{steps}", High: 100000000, Whole: true},
		}},
		{ID: "peritoneal-exchange", Title: Text{FR: "échange de dialyse péritonéale", EN: "exchange of peritoneal dialysis"}, Components: []Component{
			{Name: "filled", Title: Text{FR: "volume infusé", EN: "volume filled"}, Unit: "mL", High: 30000000},
			{Name: "drained", Title: Text{FR: "volume drainé", EN: "volume drained"}, Unit: "mL", High: 40000000},
			{Name: "cloudy", Title: Text{FR: "effluent trouble", EN: "cloudy effluent"}, Unit: "1", Optional: true, High: 1000, Whole: true, Event: true},
		}, Occurs: true},
		{ID: "pain", Title: Text{FR: "douleur", EN: "pain"}, LOINC: "72514-3", Components: []Component{
			{Name: "value", Title: Text{FR: "douleur", EN: "pain"}, LOINC: "72514-3", Unit: "{score}", High: 10000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "très légère", EN: "very mild"}, {FR: "légère", EN: "mild"}, {FR: "supportable", EN: "bearable"}, {FR: "gênante", EN: "troubling"}, {FR: "modérée", EN: "moderate"}, {FR: "forte", EN: "strong"}, {FR: "très forte", EN: "very strong"}, {FR: "intense", EN: "intense"}, {FR: "presque insupportable", EN: "almost unbearable"}, {FR: "insupportable", EN: "unbearable"}}},
		}},
		{ID: "nausea", Title: Text{FR: "nausées", EN: "nausea"}, Components: []Component{
			{Name: "value", Title: Text{FR: "nausées", EN: "nausea"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "mange normalement", EN: "eats as usual"}, {FR: "mange moins", EN: "eats less"}, {FR: "ne mange presque plus", EN: "hardly eats"}}},
		}},
		{ID: "vomiting", Title: Text{FR: "vomissements", EN: "vomiting"}, Components: []Component{
			{Name: "value", Title: Text{FR: "vomissements", EN: "vomiting"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "1 fois par jour", EN: "once a day"}, {FR: "2 à 5 fois par jour", EN: "2 to 5 times a day"}, {FR: "6 fois par jour ou plus", EN: "6 times a day or more"}}},
		}},
		{ID: "chills", Title: Text{FR: "frissons", EN: "chills"}, Components: []Component{
			{Name: "value", Title: Text{FR: "frissons", EN: "chills"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "quelques-uns", EN: "some"}, {FR: "font trembler", EN: "shaking"}, {FR: "font trembler plus d'un quart d'heure", EN: "shaking for more than a quarter of an hour"}}},
		}},
		{ID: "appetite", Title: Text{FR: "perte d'appétit", EN: "loss of appetite"}, Components: []Component{
			{Name: "value", Title: Text{FR: "perte d'appétit", EN: "loss of appetite"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "mange un peu moins", EN: "eats a little less"}, {FR: "mange moitié moins", EN: "eats half as much"}, {FR: "ne mange presque plus", EN: "hardly eats"}}},
		}},
		{ID: "diarrhoea", Title: Text{FR: "diarrhée", EN: "diarrhoea"}, Components: []Component{
			{Name: "value", Title: Text{FR: "diarrhée", EN: "diarrhoea"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "jusqu'à 3 selles de plus", EN: "up to 3 more stools"}, {FR: "4 à 6 selles de plus", EN: "4 to 6 more stools"}, {FR: "7 selles de plus ou davantage", EN: "7 more stools or beyond"}}},
		}},
		{ID: "headache", Title: Text{FR: "maux de tête", EN: "headache"}, Components: []Component{
			{Name: "value", Title: Text{FR: "maux de tête", EN: "headache"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "légers", EN: "mild"}, {FR: "gênants", EN: "troubling"}, {FR: "intenses, ou qui ne passent pas", EN: "intense, or not passing"}}},
		}},
		{ID: "visual-signs", Title: Text{FR: "troubles de la vue", EN: "visual disturbance"}, Components: []Component{
			{Name: "value", Title: Text{FR: "troubles de la vue", EN: "visual disturbance"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "passagers", EN: "passing"}, {FR: "répétés", EN: "repeated"}, {FR: "permanents", EN: "lasting"}}},
		}},
		{ID: "upper-belly-pain", Title: Text{FR: "douleur en haut du ventre", EN: "pain in the upper belly"}, Components: []Component{
			{Name: "value", Title: Text{FR: "douleur en haut du ventre", EN: "pain in the upper belly"}, Unit: "{score}", High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "légère", EN: "mild"}, {FR: "gênante", EN: "troubling"}, {FR: "en barre ou intense", EN: "band-like or intense"}}},
		}},
		{ID: "activity-level", Title: Text{FR: "état général (ECOG)", EN: "performance status (ECOG)"}, LOINC: "89247-1", Components: []Component{
			{Name: "value", Title: Text{FR: "état général (ECOG)", EN: "performance status (ECOG)"}, LOINC: "89247-1", Unit: "{score}", High: 4000, Whole: true, Grades: []Text{{FR: "activité normale", EN: "fully active"}, {FR: "gêné pour un effort", EN: "limited in effort"}, {FR: "debout plus de la moitié du jour", EN: "up more than half of the day"}, {FR: "alité plus de la moitié du jour", EN: "in bed more than half of the day"}, {FR: "alité", EN: "bedridden"}}},
		}},
		{ID: "wound", Title: Text{FR: "cicatrice", EN: "wound"}, Components: []Component{
			{Name: "redness", Title: Text{FR: "rougeur", EN: "redness"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "au bord", EN: "at the edge"}, {FR: "s'étend", EN: "spreading"}, {FR: "étendue et chaude", EN: "wide and hot"}}},
			{Name: "discharge", Title: Text{FR: "écoulement", EN: "discharge"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "clair", EN: "clear"}, {FR: "trouble ou avec du sang", EN: "cloudy or with blood"}, {FR: "pus", EN: "pus"}}},
			{Name: "opening", Title: Text{FR: "ouverture", EN: "opening"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "un point", EN: "one spot"}, {FR: "plusieurs points", EN: "several spots"}, {FR: "ouverte", EN: "open"}}},
		}},
		{ID: "heart-failure-burden", Title: Text{FR: "gêne due à l'insuffisance cardiaque", EN: "burden of heart failure"}, Components: []Component{
			{Name: "stairs", Title: Text{FR: "monter un étage", EN: "climbing one floor"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "washing", Title: Text{FR: "se laver et s'habiller", EN: "washing and dressing"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "sleep", Title: Text{FR: "dormir à plat", EN: "sleeping flat"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "outings", Title: Text{FR: "sortir et voir des proches", EN: "going out and seeing others"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "worry", Title: Text{FR: "inquiétude pour sa santé", EN: "worry about health"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "un peu", EN: "a little"}, {FR: "souvent", EN: "often"}, {FR: "tout le temps", EN: "all the time"}}},
			{Name: "score", Title: Text{FR: "score sur 15", EN: "score of 15"}, Unit: "{score}", Optional: true, High: 15000, Whole: true, SumOf: []int{0, 1, 2, 3, 4}},
		}},
		{ID: "breathing-burden", Title: Text{FR: "gêne due aux bronches", EN: "burden of the lungs"}, Components: []Component{
			{Name: "cough", Title: Text{FR: "tousser", EN: "coughing"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "jamais", EN: "never"}, {FR: "parfois", EN: "at times"}, {FR: "souvent", EN: "often"}, {FR: "tout le temps", EN: "all the time"}}},
			{Name: "phlegm", Title: Text{FR: "bronches encombrées", EN: "phlegm"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "jamais", EN: "never"}, {FR: "parfois", EN: "at times"}, {FR: "souvent", EN: "often"}, {FR: "tout le temps", EN: "all the time"}}},
			{Name: "tightness", Title: Text{FR: "poitrine serrée", EN: "tight chest"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "jamais", EN: "never"}, {FR: "parfois", EN: "at times"}, {FR: "souvent", EN: "often"}, {FR: "tout le temps", EN: "all the time"}}},
			{Name: "slope", Title: Text{FR: "monter une côte", EN: "walking uphill"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "home", Title: Text{FR: "activités à la maison", EN: "activities at home"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans gêne", EN: "no trouble"}, {FR: "un peu gêné", EN: "a little trouble"}, {FR: "très gêné", EN: "much trouble"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "sleep", Title: Text{FR: "sommeil", EN: "sleep"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "bon", EN: "sound"}, {FR: "un peu troublé", EN: "a little troubled"}, {FR: "très troublé", EN: "much troubled"}, {FR: "presque aucun", EN: "hardly any"}}},
			{Name: "energy", Title: Text{FR: "manque d'énergie", EN: "lack of energy"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucun", EN: "none"}, {FR: "un peu", EN: "a little"}, {FR: "important", EN: "much"}, {FR: "total", EN: "complete"}}},
			{Name: "score", Title: Text{FR: "score sur 21", EN: "score of 21"}, Unit: "{score}", Optional: true, High: 21000, Whole: true, SumOf: []int{0, 1, 2, 3, 4, 5, 6}},
		}},
		{ID: "quality-of-life", Title: Text{FR: "qualité de vie", EN: "quality of life"}, Components: []Component{
			{Name: "walking", Title: Text{FR: "marcher", EN: "walking"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans difficulté", EN: "no difficulty"}, {FR: "un peu difficile", EN: "somewhat difficult"}, {FR: "très difficile", EN: "very difficult"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "self-care", Title: Text{FR: "s'occuper de soi", EN: "looking after oneself"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans difficulté", EN: "no difficulty"}, {FR: "un peu difficile", EN: "somewhat difficult"}, {FR: "très difficile", EN: "very difficult"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "daily-life", Title: Text{FR: "activités de tous les jours", EN: "everyday activities"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "sans difficulté", EN: "no difficulty"}, {FR: "un peu difficile", EN: "somewhat difficult"}, {FR: "très difficile", EN: "very difficult"}, {FR: "impossible", EN: "impossible"}}},
			{Name: "pain", Title: Text{FR: "douleurs", EN: "pain"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "légères", EN: "mild"}, {FR: "fortes", EN: "strong"}, {FR: "extrêmes", EN: "extreme"}}},
			{Name: "mood", Title: Text{FR: "tristesse ou angoisse", EN: "sadness or anxiety"}, Unit: "{score}", Optional: true, High: 3000, Whole: true, Grades: []Text{{FR: "aucune", EN: "none"}, {FR: "un peu", EN: "a little"}, {FR: "beaucoup", EN: "much"}, {FR: "extrême", EN: "extreme"}}},
			{Name: "score", Title: Text{FR: "score sur 15", EN: "score of 15"}, Unit: "{score}", Optional: true, High: 15000, Whole: true, SumOf: []int{0, 1, 2, 3, 4}},
			{Name: "health", Title: Text{FR: "santé du jour sur 100", EN: "health today of 100"}, Unit: "{score}", Optional: true, High: 100000, Whole: true},
		}},
	}
}
