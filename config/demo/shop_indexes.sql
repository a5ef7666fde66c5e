-- After the rows: building an index once is faster than growing it row by row.
CREATE INDEX payment_cards_customer ON payment_cards (customer_id);
CREATE INDEX api_credentials_customer ON api_credentials (customer_id);
CREATE INDEX products_category ON products (category);
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_placed ON orders (placed_at);
CREATE INDEX order_items_product ON order_items (product_id);
CREATE INDEX support_tickets_customer ON support_tickets (customer_id);
CREATE INDEX support_tickets_open ON support_tickets (opened_at) WHERE status <> 'closed';
