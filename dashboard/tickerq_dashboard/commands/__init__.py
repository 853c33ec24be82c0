"""What a form or a JSON body may ask to be done."""
