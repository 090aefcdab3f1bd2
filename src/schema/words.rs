//! Header words that several collections share: what people call the same fact on any inventory sheet.
//!
//! Case, spaces, underscores, hyphens, brackets and `#` do not matter; see [`super::fold_header`]. A word that can
//! mean two fields of one sheet (`ID`, `Number`, `Owner`) is left out on purpose: asking beats guessing.

pub(super) const MODEL_NUMBER: &[&str] = &[
    "model no", "model nr", "model num", "mpn", "part number", "part no", "reference", "référence", "modellnummer",
    "numéro de modèle", "número de modelo",
];

pub(super) const ORDER_NUMBER: &[&str] = &[
    "order no", "order nr", "order id", "purchase order", "purchase order number", "purchase order no", "po",
    "po number", "po no", "po id", "procure all number", "orden id", "orden de compra", "bestellnummer",
    "numéro de commande", "bon de commande", "número de pedido", "订单号",
];

pub(super) const PURCHASE_DATE: &[&str] = &[
    "date purchased", "date of purchase", "purchased date", "purchased", "purchased on", "purchase time", "p time",
    "bought", "bought on", "po date", "acquisition date", "acquired date", "aquired date", "date acquired", "acquired",
    "kaufdatum", "anschaffungsdatum", "date d'achat", "date achat", "fecha de compra", "fecha de adquisición",
    "data de aquisição", "data acquisto", "aankoopdatum", "tanggal pembelian", "购买日期",
];

pub(super) const PURCHASE_COST: &[&str] = &[
    "purchase price", "purchase amount", "price", "cost", "amount", "acquisition cost", "acquisition price",
    "original cost", "original value", "asset value", "asset cost", "harga", "preis", "preis euro", "p cost",
    "kaufpreis", "anschaffungspreis", "anschaffungskosten", "prix", "prix d'achat", "precio", "coste", "costo",
    "valor", "prezzo", "prijs", "原值", "金额", "价格",
];

pub(super) const CURRENCY: &[&str] =
    &["currency code", "price currency", "purchase currency", "währung", "devise", "moneda", "moeda", "valuta", "币种"];

pub(super) const QUANTITY: &[&str] = &[
    "qty", "quantities", "count", "total quantity", "purchase qty", "purchase quantity", "quantité", "cantidad",
    "quantidade", "quantità", "menge", "anzahl", "bestand", "aantal", "jumlah", "数量",
];

/// How many seats of a license are handed out. What a license has in all is `number_of_seats`.
pub(super) const SEATS: &[&str] = &[
    "qty", "quantities", "seats", "number of seats", "seat count", "count", "quantité", "cantidad", "quantidade",
    "quantità", "menge", "anzahl", "aantal", "jumlah", "数量",
];

pub(super) const MINIMUM_QUANTITY: &[&str] = &[
    "min qty", "minimum qty", "min quantity", "min amount", "minimum amount", "minimum stock", "min stock",
    "reorder level", "reorder point", "seuil minimum", "mindestbestand", "mindestmenge", "stock mínimo",
];

pub(super) const CATEGORY: &[&str] = &[
    "category", "category name", "type", "item type", "item category", "product type", "product category",
    "nombre categoria", "categoría", "categorie", "catégorie", "catégories", "kategorie", "categoria", "类别名称",
    "类别",
];

pub(super) const MANUFACTURER: &[&str] = &[
    "manufacturer", "manufacturer name", "make", "maker", "brand", "brand name", "mfr", "hersteller", "marke",
    "fabricant", "marque", "fabricante", "marca", "produttore", "fabrikant", "merk", "品牌", "制造商",
];

pub(super) const SUPPLIER: &[&str] = &[
    "supplier", "supplier name", "vendor", "vendor name", "provider", "reseller", "purchase from", "purchased from",
    "bought from", "dealer", "dealer name", "lieferant", "fournisseur", "proveedor", "fornecedor", "fornitore",
    "leverancier", "供应商",
];

pub(super) const LOCATION: &[&str] = &[
    "location", "location name", "location code", "expected location code", "site", "site name", "site location",
    "building", "building id", "building name", "building/location", "room", "room number", "office", "office number",
    "office location", "rack", "rack str", "warehouse", "fam location", "service outlet code", "annotated location",
    "lokasi", "ruangan", "establecimiento", "jardin", "localisation", "local libelle", "immeuble libelle", "standort",
    "raum", "emplacement", "lieu", "ubicación", "localização", "posizione", "locatie", "位置", "存放地点",
];

pub(super) const DEPARTMENT: &[&str] = &[
    "department", "department name", "dept", "dept name", "division", "section", "departemen", "setor", "abteilung",
    "département", "service", "departamento", "dipartimento", "afdeling", "部门名称", "部门",
];

pub(super) const DEPRECIATION: &[&str] = &[
    "depreciation", "depreciation name", "depreciation schedule", "depreciation method", "depreciation type",
    "asset decay type", "abschreibung", "amortissement", "折旧方法",
];

pub(super) const NOTES: &[&str] = &[
    "note", "remark", "remarks", "comment", "comments", "description", "reason/notes", "notes référence", "memo",
    "bemerkung", "bemerkungen", "notiz", "notizen", "kommentar", "remarque", "remarques", "commentaire",
    "commentaires", "observaciones", "notas", "observações", "opmerking", "opmerkingen", "keterangan", "备注",
];

pub(super) const LOGO: &[&str] = &["logo url", "logo link", "image", "image url", "picture", "picture url", "photo"];

pub(super) const ADDRESS_LINE_1: &[&str] = &[
    "address", "address 1", "street", "street address", "address line", "adresse", "strasse", "straße", "dirección",
    "endereço", "indirizzo", "地址",
];

pub(super) const ADDRESS_LINE_2: &[&str] = &["address 2", "street 2", "suite", "address line two"];

pub(super) const CITY: &[&str] = &["town", "city/town", "ort", "stadt", "ville", "ciudad", "cidade", "città", "城市"];

pub(super) const ZIP: &[&str] = &[
    "zip code", "postal code", "postcode", "zip/postal code", "zip or postal code", "plz", "postleitzahl",
    "code postal", "código postal", "cep", "cap", "邮编",
];

pub(super) const STATE: &[&str] = &[
    "province", "state/province", "state or province", "province/state", "state/region", "state or region",
    "province/region", "state/province/region", "state/territory", "federal state", "region", "territory", "county",
    "canton", "prefecture", "bundesland", "bundesland/kanton", "bundesstaat", "kanton", "provinz", "landkreis",
    "staat", "staat/provinz", "état", "état/province", "état ou province", "région", "département", "provincia",
    "estado", "estado/provincia", "estado o provincia", "estado ou província", "comunidad autónoma", "província", "uf",
    "regione", "stato/provincia", "provincie", "staat/provincie", "województwo", "省", "省份", "州", "都道府県",
    "provinsi",
];

pub(super) const COUNTRY: &[&str] = &[
    "country name", "country code", "country/region", "country/territory", "region/country", "country or region",
    "nation", "land", "land/region", "land oder region", "ländercode", "pays", "pays/région", "pays ou région", "país",
    "país/región", "país o región", "país/região", "paese", "paese/area geografica", "nazione", "land of regio",
    "kraj", "negara", "国家", "国家/地区", "国",
];

/// Columns of one sheet that describe a location it names.
pub(super) const LOCATION_DETAILS: &[super::Related] = &[
    super::Related::new("address_line_1", &["location address", "location street", "site address", "building address"]),
    super::Related::new("city", &["location city", "site city"]),
    super::Related::new("zip", &["location zip", "location postal code", "site zip"]),
    super::Related::new("state", &["location state", "location province"]),
    super::Related::new("country", &["location country", "site country"]),
];

/// An employee's sheet says in which city and country the office is. Street and postal code may be those of their
/// home, and must not end up in a location that all can see.
pub(super) const EMPLOYEE_LOCATION_DETAILS: &[super::Related] = &[
    super::Related::new("city", &["city", "location city", "office city"]),
    super::Related::new("country", &["country", "location country", "country or region", "country region"]),
];

/// A department cannot be created without an e-mail address and a phone number (guide: both required).
pub(super) const DEPARTMENT_DETAILS: &[super::Related] = &[
    super::Related::new("email", &["department email", "department e-mail address", "dept email"]),
    super::Related::new(
        "phone",
        &["department phone", "department telephone", "department phone number", "dept phone"],
    ),
];

/// Columns of one sheet that describe a supplier it names.
pub(super) const SUPPLIER_DETAILS: &[super::Related] = &[
    super::Related::new("contact_name", &["supplier contact", "supplier contact name", "vendor contact"]),
    super::Related::new("email", &["supplier email", "vendor email", "dealer email"]),
    super::Related::new("phone", &["supplier phone", "vendor phone", "dealer phone", "dealer phone number"]),
    super::Related::new("url", &["supplier url", "supplier website", "vendor url", "vendor website"]),
    super::Related::new("address_line_1", &["supplier address", "vendor address", "dealer address"]),
    super::Related::new("zip", &["supplier postcode", "supplier zip", "supplier postal code"]),
];

/// Columns of one sheet that describe a manufacturer it names.
pub(super) const MANUFACTURER_DETAILS: &[super::Related] = &[
    super::Related::new("url", &["manufacturer url", "manufacturer website"]),
    super::Related::new("support_url", &["support url", "manufacturer support url", "support website"]),
    super::Related::new("support_phone", &["support phone", "manufacturer support phone"]),
    super::Related::new("support_email", &["support email", "manufacturer support email"]),
];

/// An asset named on another sheet.
pub(super) const ASSET: &[&str] = &[
    "asset", "asset tag", "tag", "tag number", "asset tag number", "asset code", "asset number", "asset no",
    "asset nr", "barcode", "inventory number", "inventarnummer", "资产编号",
];

/// An employee something is checked out to or in from. A user name is none: employees have a name and an e-mail address.
pub(super) const EMPLOYEE: &[&str] = &[
    "employee", "employee name", "assigned to", "assigned to name", "assign to user", "assigned user",
    "assigned employee", "checked out to", "checked out to name", "checkout to", "full name", "real name",
    "annotated user", "custodian", "person", "person in charge", "user", "asset user", "name of user", "holder",
    "borrower", "issued to", "assignee", "mitarbeiter", "benutzer", "utilisateur", "employé", "empleado", "usuario",
    "pengguna", "使用人",
];

/// The e-mail address finds the employee as well as the name does, and tells namesakes apart.
pub(super) const EMPLOYEE_DETAILS: &[super::Related] = &[
    super::Related::new(
        "email",
        &[
            "employee email", "employee email address", "assigned to email", "assigned email", "email",
            "email address", "email id", "user email", "user's email address", "owner email", "checked out to email",
            "mail",
        ],
    ),
    super::Related::new("title", &["job title", "employee title", "checked out to title"]),
];

/// The model number of an accessory, component or consumable that a checkout sheet names.
pub(super) const MODEL_NUMBER_OF_NAMED: &[&str] = &["model number", "model no", "model nr", "part number", "part no"];

pub(super) const CHECKOUT_DATE: &[&str] = &[
    "checkout", "checked out", "checked out on", "checked out date", "checkout at", "date out", "issue date",
    "issued on", "assigned date", "assigned on", "assignment date", "date assigned", "date", "ausgabedatum",
    "date de sortie", "fecha de entrega",
];

pub(super) const EXPECTED_CHECKIN_DATE: &[&str] = &[
    "expected checkin", "expected check-in date", "expected return", "expected return date", "due date", "due back",
    "due", "return date", "return by", "expected checkout", "rückgabedatum", "date de retour",
];

pub(super) const CHECKIN_DATE: &[&str] = &[
    "checkin", "checked in", "checked in on", "checked in date", "checkin at", "date in", "return date", "returned",
    "returned on", "returned date", "date returned", "date", "expected checkout", "rückgabedatum", "date de retour",
    "fecha de devolución",
];

pub(super) const ACTION_NOTES: &[&str] = &[
    "note", "remark", "remarks", "comment", "comments", "checkout notes", "checkin notes", "reason", "reason/notes",
    "bemerkung", "bemerkungen", "notizen", "remarques", "commentaires", "observaciones", "notas", "备注",
];
