package figures

// Catalogue is what the tests read of the words.
var Catalogue = catalogue
