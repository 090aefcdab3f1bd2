//! The import against a service of other shapes.
