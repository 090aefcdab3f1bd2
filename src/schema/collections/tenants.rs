use crate::schema::{Entity, Field, Role};

/// Guide: section "Tenants". An object with a `tenants` key, no paging (field notes).
pub const TENANTS: Entity = Entity {
    name: "tenants",
    singular: "tenant",
    path: "tenants",
    help: "The tenants a multi-tenant key may act for.",
    also: &["tenant list"],
    role: Role::Listing,
    key: &[],
    sorts: &[],
    fields: &[
        Field::integer("tenant_id").read_only().help("What `--tenant` takes.").example("3"),
        Field::text("name").read_only().help("What the tenant is called.").example("Example GmbH"),
    ],
};
